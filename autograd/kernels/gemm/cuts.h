#pragma once

#include <algorithm>
#include <cstdint>

#include "autograd/kernels/gemm/operand.h"
#include "autograd/kernels/gemm/tuning.h"

/// How products are cut into tasks for the compute threads. Cuts between rows, columns and panels do not change the
/// bits of a result, and may depend on the number of threads; cuts of sums and of OpenBLAS's products do, and may not.
namespace mixtape::kernels {

/// How many tasks are worth while: each has tuning::kTaskFlops, and a thread kTasksPerThread of them.
constexpr int64_t tasks_for(double flops, int64_t threads) {
  return std::clamp(static_cast<int64_t>(flops / tuning::kTaskFlops), int64_t{1}, tuning::kTasksPerThread * threads);
}

/// How many parts a sum over the inner size, or an OpenBLAS product, is cut into.
constexpr int64_t parts_for(double flops) {
  return flops < tuning::kTwoPartsFlops     ? 1
         : flops < tuning::kFourPartsFlops  ? 2
         : flops < tuning::kEightPartsFlops ? 4
                                            : 8;
}
/// Whether sums are cut: where they are long, and a copy of C for each part is small.
constexpr bool cuts_sums(int64_t m, int64_t n, int64_t k) {
  return parts_for(gemm_flops(m, n, k)) > 1 && 2 * k >= 3 * std::max(m, n) && m * n <= tuning::kSummedElements;
}
/// How many parts, then.
constexpr int64_t sum_parts_for(int64_t m, int64_t n, int64_t k) {
  return std::min(parts_for(gemm_flops(m, n, k)), 1 + tuning::kPartialElements / (m * n));
}

/// Rows, or columns, in each of so many slices: a multiple of 16, so that no vector is cut.
constexpr int64_t slice_size(int64_t n, int64_t slices) {
  return std::max<int64_t>(16, ((n + slices - 1) / slices + 15) / 16 * 16);
}

/// Whether each thread packs an operand of so many elements for itself.
constexpr bool packs_per_thread(int64_t elements, int64_t threads) {
  return elements * threads <= tuning::kPackPerThreadElements;
}

/// Rows in a block of gemm_by_rows; 0 where gemm is faster, which depends on the sizes only.
constexpr int64_t by_rows_block(int64_t m, int64_t n, int64_t k, int64_t threads) {
  if (m < tuning::kByRowsMinM || n * k > tuning::kByRowsMaxB) return 0;
  const int64_t least = n * k > tuning::kByRowsCachedB ? tuning::kByRowsMinM : tuning::kByRowsMinRows;
  const int64_t in_cache = (tuning::kByRowsElements / std::max<int64_t>(1, n) / 32 + 1) * 32;
  const int64_t most = std::min(std::max(least, in_cache), slice_size(m, parts_for(gemm_flops(m, n, k))));
  const int64_t rounds = (m + threads * most - 1) / (threads * most);  // each thread gets as many blocks
  return std::max(tuning::kByRowsMinRows, slice_size(m, threads * rounds));
}

/// A grid of tasks: each computes some rows of C times some panels of B.
struct TaskGrid {
  int64_t rows, panels;            ///< of a task
  int64_t row_tasks, panel_tasks;  ///< how many
  bool by_rows;                    ///< consecutive tasks have the same rows, or the same panels: the longer part

  /// m x n sums of `depth`, in `panel_count` panels, on a micro-kernel of `mr` rows.
  constexpr TaskGrid(int64_t m, int64_t n, int64_t depth, int64_t panel_count, int64_t mr, int64_t max_rows,
                     int64_t max_panels, int64_t threads)
      : by_rows(m >= n) {
    const int64_t tasks = tasks_for(gemm_flops(m, n, depth), threads), groups = (m + mr - 1) / mr;
    rows = std::clamp<int64_t>((groups + tasks - 1) / tasks, 1, max_rows / mr) * mr;
    row_tasks = (m + rows - 1) / rows;
    const int64_t most = std::clamp<int64_t>(panel_count * row_tasks / tasks, 1, max_panels);
    panel_tasks = (panel_count + most - 1) / most;
    panels = (panel_count + panel_tasks - 1) / panel_tasks;
  }
  constexpr int64_t count() const { return row_tasks * panel_tasks; }
  constexpr int64_t row(int64_t task) const { return (by_rows ? task / panel_tasks : task % row_tasks) * rows; }
  constexpr int64_t panel(int64_t task) const { return (by_rows ? task % panel_tasks : task / row_tasks) * panels; }
};

}  // namespace mixtape::kernels

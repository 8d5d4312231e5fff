#include "autograd/kernels/panel_gemm.h"

#include <algorithm>

#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"

namespace mixtape::kernels {
namespace {

// The inner sizes [from, from + depth) of a product, as panels.
struct Slab {
  int64_t from, depth, filled;
  uint16_t *a, *b;
};

void pack_panel(const PanelKernels& kernels, const GemmCall& p, const Slab& s, int64_t panel, bool is_a) {
  const int64_t size = is_a ? kernels.rows : kernels.columns, row = panel * size;
  const Operand<float>& x = is_a ? p.a : p.b;
  const bool across = is_a ? x.transposed : !x.transposed;
  const float* data = across ? x.data + s.from * x.stride + row : x.data + row * x.stride + s.from;
  const PanelSource source{data, x.stride, across, std::min(size, (is_a ? p.m : p.n) - row), s.depth};
  (is_a ? kernels.pack_a : kernels.pack_b)(source, (is_a ? s.a : s.b) + panel * size * s.filled);
}

// What a task adds to C: the panels [first, last) of A times those of B. A panel of B stays in the nearest cache while
// those of A pass by.
void multiply_panels(const PanelKernels& kernels, const GemmCall& p, const Slab& s, int64_t a_first, int64_t a_last,
                     int64_t b_first, int64_t b_last) {
  const auto multiply = [&](int64_t i, int64_t j) {
    const int64_t row = i * kernels.rows, column = j * kernels.columns;
    kernels.multiply({.a = s.a + row * s.filled,
                      .b = s.b + column * s.filled,
                      .depth = s.filled,
                      .alpha = p.alpha,
                      .beta = s.from == 0 ? p.beta : 1,
                      .bias = p.bias && s.from == 0 ? p.bias + column : nullptr,
                      .c = p.c + row * p.c_stride + column,
                      .c_stride = p.c_stride,
                      .rows = std::min(kernels.rows, p.m - row),
                      .columns = std::min(kernels.columns, p.n - column)});
  };
  kernels.begin();
  for (int64_t j = b_first; j < b_last; ++j)
    for (int64_t i = a_first; i < a_last; ++i) multiply(i, j);
  kernels.end();
}

}  // namespace

void panel_gemm(const PanelKernels& kernels, const GemmCall& p) noexcept {
  constexpr int64_t kTaskRows = 8, kMostTaskRows = 24, kTaskColumns = 16;  // panels
  const int64_t slabs = (p.k + kernels.depth - 1) / kernels.depth, multiple = kernels.depth_multiple;
  const int64_t depth = ((p.k + slabs - 1) / slabs + multiple - 1) / multiple * multiple;
  const int64_t a_panels = (p.m + kernels.rows - 1) / kernels.rows;
  const int64_t b_panels = (p.n + kernels.columns - 1) / kernels.columns;
  const int64_t rows = std::clamp(a_panels / 8, std::min(kTaskRows, a_panels), kMostTaskRows);
  const int64_t row_tasks = (a_panels + rows - 1) / rows, column_tasks = (b_panels + kTaskColumns - 1) / kTaskColumns;
  const bool by_rows = p.m >= p.n;  // what is smaller passes by again and again, so that it should come from a cache
  Slab slab{.from = 0, .depth = 0, .filled = 0, .a = nullptr, .b = nullptr};
  slab.a = aligned_scratch<uint16_t>(0, a_panels * kernels.rows * depth);
  slab.b = aligned_scratch<uint16_t>(1, b_panels * kernels.columns * depth);
  for (; slab.from < p.k; slab.from += depth) {
    slab.depth = std::min(depth, p.k - slab.from);
    slab.filled = (slab.depth + multiple - 1) / multiple * multiple;
    parallel_for(a_panels + b_panels, grain_for(slab.filled * kernels.columns), [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i)
        pack_panel(kernels, p, slab, i < a_panels ? i : i - a_panels, i < a_panels);
    });
    parallel_for(row_tasks * column_tasks, 1, [&](int64_t task, int64_t) {
      const int64_t row_task = by_rows ? task / column_tasks : task % row_tasks;
      const int64_t column_task = by_rows ? task % column_tasks : task / row_tasks;
      const int64_t i = row_task * rows, j = column_task * kTaskColumns;
      multiply_panels(kernels, p, slab, i, std::min(a_panels, i + rows), j, std::min(b_panels, j + kTaskColumns));
    });
  }
}

}  // namespace mixtape::kernels

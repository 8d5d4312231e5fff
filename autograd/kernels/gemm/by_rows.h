#pragma once

#include "autograd/kernels/gemm/gemm.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"

namespace mixtape::kernels {

/// A B, some rows at a time: use(first row, rows, product: [rows, n]), each row once, on the compute thread that has
/// just multiplied them, so that they are in its cache. Threads do so at the same time; `use` may write to those rows
/// of A, and may not call gemm_by_rows itself. False, and nothing is done, where gemm does better: that depends on the
/// sizes, factors and machine only. A: [m, k]  B: [k, n]
template <class T, class Use>
bool gemm_by_rows(int64_t m, int64_t n, int64_t k, Operand<T> a, Operand<T> b, Factors factors,
                  const Use& use) noexcept {
  const int64_t at_a_time = rows_at_a_time(m, n, k);
  if (at_a_time == 0 || !lays_out(m, n, k, b, factors)) return false;
  const auto make = [&] { return lay_out(m, n, k, b, factors, Room::right_of_rows); };
  const Prepared<RightOperand<T>> right(each_for_itself(n * k), make);
  parallel_for(m, at_a_time, [&](int64_t first, int64_t last) {
    T* product = aligned_scratch<T>(Room::product_of_rows, (last - first) * n);
    gemm_tile(last - first, n, k, T(1), rows_from(a, first), right.get(make), T(0), product, n);
    use(first, last - first, product);
  });
  return true;
}

}  // namespace mixtape::kernels

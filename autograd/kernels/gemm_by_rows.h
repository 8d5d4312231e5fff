#pragma once

#include "autograd/kernels/gemm.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"

namespace mixtape::kernels {

/// How many rows of a product a thread takes at a time: they stay in its cache, and there are enough pieces for all
/// threads. Depends on the sizes only.
int64_t rows_at_a_time(int64_t m, int64_t n, int64_t k) noexcept;

/// A B, some rows at a time: use(first row, rows, product), on the compute thread that has just multiplied them, so
/// that they are in its cache. The product, [rows, n], is gone after that; `use` may write to those rows of A. A: [m,
/// k]  B: [k, n]
template <class T, class Use>
void gemm_by_rows(int64_t m, int64_t n, int64_t k, Operand<T> a, Operand<T> b, Factors factors,
                  const Use& use) noexcept {
  const RightOperand<T> right = lay_out(m, n, k, b, factors, 0);
  parallel_for(m, rows_at_a_time(m, n, k), [&](int64_t first, int64_t last) {
    T* product = aligned_scratch<T>(1, (last - first) * n);
    gemm_tile(last - first, n, k, T(1), rows_from(a, first), right, T(0), product, n);
    use(first, last - first, product);
  });
}

}  // namespace mixtape::kernels

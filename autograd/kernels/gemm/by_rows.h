#pragma once

#include "autograd/kernels/gemm/cuts.h"
#include "autograd/kernels/gemm/gemm.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/workspace.h"

namespace mixtape::kernels {

/// Computes A B in blocks of rows and calls f(first row, rows, product: [rows, n]) for each, on the thread that has
/// just computed it, while it is in that thread's cache. Threads do so concurrently; f may overwrite those rows of A,
/// and may not call gemm_by_rows. Returns false, and does nothing, where gemm is faster: that depends on the sizes, the
/// precision and the instruction set only.   A: [m, k]  B: [k, n]
template <class T, class F>
bool gemm_by_rows(int64_t m, int64_t n, int64_t k, Operand<T> a, Operand<T> b, Precision precision,
                  const F& f) noexcept {
  const int64_t block = by_rows_block(m, n, k, threads());
  if (block == 0 || !packs_b<T>(m, n, k, precision)) return false;
  const auto pack = [&] { return pack_b(m, n, k, b, precision, Workspace::by_rows_b); };
  const PreparedForLoop<PackedB<T>> packed(packs_per_thread(n * k, threads()), pack);
  parallel_for(m, block, [&](int64_t first, int64_t last) {
    T* product = workspace<T>(Workspace::by_rows_product, (last - first) * n);
    gemm_tile(last - first, n, k, T(1), rows_from(a, first), packed.get(pack), T(0), product, n);
    f(first, last - first, product);
  });
  return true;
}

}  // namespace mixtape::kernels

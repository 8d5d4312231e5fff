#pragma once

#include "autograd/kernels/elementwise.h"
#include "autograd/kernels/gemm/gemm.h"

/// Products as backward needs them.
namespace mixtape::kernels {

/// Whether A B is computed in blocks of rows, each of which is finished while it is in a thread's cache. Depends on the
/// sizes, the precision and the instruction set only.
template <class T>
bool goes_by_rows(int64_t m, int64_t n, int64_t k, Precision precision) noexcept;

/// C = A B, or C += A B, for a square B that goes_by_rows. C may be A.   A, C: [m, n]  B: [n, n]
template <class T>
void gemm_square(int64_t m, int64_t n, const T* a, Operand<T> b, bool accumulate, T* c, Precision precision) noexcept;

/// dX = (A B) * f'(X), element by element: rows of the product are multiplied by the slope while they are in the cache.
/// dX may be X.   A: [m, k]  B: [k, n]  X, dX: [m, n]; X: T, or the bits of bfloat16 if T is float
template <class T, class X>
void gemm_unary_grad(Unary f, int64_t m, int64_t n, int64_t k, Operand<T> a, Operand<T> b, const X* x, T* dx,
                     Precision precision) noexcept;

}  // namespace mixtape::kernels

#pragma once

#include "autograd/kernels/gemm.h"

namespace mixtape::kernels {

/// Whether A B is computed a few rows at a time, each block finished while it is in a thread's cache. Depends on the
/// sizes, the factors and the machine only.
bool goes_by_rows(int64_t m, int64_t n, int64_t k, Operand<float> b, Factors factors) noexcept;
bool goes_by_rows(int64_t m, int64_t n, int64_t k, Operand<double> b, Factors factors) noexcept;

/// C = A B, or C += A B, for a square B that goes_by_rows. C may be A.   A, C: [m, n]  B: [n, n]
void gemm_square(int64_t m, int64_t n, const float* a, Operand<float> b, bool accumulate, float* c,
                 Factors factors) noexcept;
void gemm_square(int64_t m, int64_t n, const double* a, Operand<double> b, bool accumulate, double* c,
                 Factors factors) noexcept;

/// dX = (A B) * f'(X), element by element: a product's rows go through the slope while they are in the cache. dX may
/// be X.   A: [m, k]  B: [k, n]  X, dX: [m, n]; X: may be the bits of bfloat16
void gemm_unary_grad(Unary f, int64_t m, int64_t n, int64_t k, Operand<float> a, Operand<float> b, const float* x,
                     float* dx, Factors factors) noexcept;
void gemm_unary_grad(Unary f, int64_t m, int64_t n, int64_t k, Operand<double> a, Operand<double> b, const double* x,
                     double* dx, Factors factors) noexcept;
void gemm_unary_grad(Unary f, int64_t m, int64_t n, int64_t k, Operand<float> a, Operand<float> b, const uint16_t* x,
                     float* dx, Factors factors) noexcept;

}  // namespace mixtape::kernels

#pragma once

#include "autograd/kernels/gemm.h"

namespace mixtape::kernels {

/// C = alpha A B + beta C on the calling thread, for products whose inner or outer sizes are too small for OpenBLAS to
/// copy its operands with profit: A is read where it lies, and only a strip of B at a time is copied, where that helps.
/// If bias is given, it takes the place of beta C: C = alpha A B + bias, bias: [n]. Each element is summed in the same
/// order whatever m and n are.   A: [m, k]  B: [k, n]  C: [m, n]; k > 0
void thin_gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
               int64_t c_stride, const float* bias = nullptr) noexcept;

/// True if that is worth while for a product: the sizes are right, and the instruction set has wide vectors.
bool prefers_thin_gemm(int64_t m, int64_t n, int64_t k, const Operand<float>& a, const Operand<float>& b) noexcept;

}  // namespace mixtape::kernels

#pragma once

#include "autograd/kernels/gemm/gemm.h"

namespace mixtape::kernels {

/// C = alpha A B + beta C for f32, with factors as they are or rounded to bfloat16. B is copied to strips, two or three
/// vectors wide; A is read where it lies or, if it must go through a map or be rounded, or is transposed and many
/// strips pass by, copied some rows at a time. If bias is given, it takes the place of beta C: C = alpha A B + bias,
/// bias: [n]. Runs on all compute threads, or on the calling one inside a loop; where the cuts lie depends on the sizes
/// only. Each element is summed in the same order whatever m and n are.   A: [m, k]  B: [k, n] C: [m, n]; k > 0
void strip_gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
                int64_t c_stride, const float* bias = nullptr, Factors factors = Factors::exact) noexcept;

/// True if that is worth while for a product: B is small, or A has rows enough for a copy of it, and vectors are wide.
bool prefers_strip_gemm(int64_t m, int64_t n, int64_t k) noexcept;

/// B: [k, n] in strips.
struct Strips {
  const float* data;
  int64_t n, k;
  Factors factors = Factors::exact;  ///< of A, too
};
/// How many numbers they have.
int64_t strips_size(int64_t n, int64_t k) noexcept;
/// Copies B to strips in the given room, which must start at a cache line; on all compute threads, or on the calling
/// one inside a loop.
Strips pack_strips(int64_t n, int64_t k, Operand<float> b, float* room, Factors factors = Factors::exact) noexcept;
/// What strip_gemm computes, from the first n columns and k rows of B in strips, on the calling thread.
void multiply_strips(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, const Strips& b, float beta,
                     float* c, int64_t c_stride) noexcept;

}  // namespace mixtape::kernels

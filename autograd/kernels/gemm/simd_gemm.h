#pragma once

#include <cstdint>

#include "autograd/kernels/gemm/operand.h"
#include "autograd/kernels/gemm/precision.h"

namespace mixtape::kernels {

/// f32 products on SIMD multiply-adds. B is packed into panels of two or three vectors (NR). A is read in place or, if
/// it has a map, is rounded to bfloat16, or is transposed and meets many panels, packed some rows at a time. Each
/// element of C is summed in the same order whatever m, n and the cuts are.

/// The product, on all compute threads, or on the calling one inside a loop. k > 0.
void simd_gemm(const GemmArguments<float>& product, Precision precision = Precision::full) noexcept;

/// Whether simd_gemm is the faster way for a product in full precision.
bool prefers_simd_gemm(int64_t m, int64_t n, int64_t k) noexcept;

/// B: [k, n] in panels, KC block after KC block.
struct SimdPackedB {
  const float* data;
  int64_t n, k;
  Precision precision = Precision::full;  ///< of both operands
};
/// How many numbers it takes.
int64_t packed_b_size(int64_t n, int64_t k) noexcept;
/// Packs B into `to`, which starts at a cache line; on all compute threads, or on the calling one inside a loop.
SimdPackedB simd_pack_b(int64_t n, int64_t k, Operand<float> b, float* to,
                        Precision precision = Precision::full) noexcept;
/// The product with the first n columns and k rows of a packed B, on the calling thread. product.b is not used.
void simd_multiply(const GemmArguments<float>& product, const SimdPackedB& b) noexcept;

}  // namespace mixtape::kernels

#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// Between f32 and the bits of bfloat16, which are the upper half of an f32's.

/// y[i] = x[i] rounded to nearest, ties to even. A NaN stays a NaN.
void round_to_bf16(const float* x, uint16_t* y, int64_t n) noexcept;

/// y[i] = x[i], exactly.
void widen_bf16(const uint16_t* x, float* y, int64_t n) noexcept;

}  // namespace mixtape::kernels

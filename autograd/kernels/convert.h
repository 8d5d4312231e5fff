#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// Between f32 and bfloat16, whose bits are the upper half of an f32's.

/// y[i] = x[i] rounded to nearest, to even in the middle. A NaN stays one.
void round_to_bf16(const float* x, uint16_t* y, int64_t n) noexcept;

/// y[i] = x[i], without loss.
void widen_bf16(const uint16_t* x, float* y, int64_t n) noexcept;

}  // namespace mixtape::kernels

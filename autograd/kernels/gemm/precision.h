#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// The compute precision of a product's operands: as they are, or rounded to bfloat16 (to nearest, ties to even) with
/// sums in f32. f64 operands are never rounded.
enum class Precision : uint8_t { full, bf16 };

}  // namespace mixtape::kernels

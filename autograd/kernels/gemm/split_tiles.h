#pragma once

#include "autograd/kernels/gemm/panel_gemm.h"

namespace mixtape::kernels {

/// The micro-kernel of f32 products on a unit that multiplies bfloat16, or nullptr if there is none that is fast enough
/// (AMX is).
///
/// A bfloat16 holds 8 of the 24 significant bits of an f32, so every f32 is the sum of three terms: x = x1 + x2 + x3,
/// where x1 is x rounded, x2 is the rest rounded, and x3 is what remains. Of the nine products in x y the six largest
/// are added in f32: x1 y1 + x1 y2 + x2 y1 + x1 y3 + x2 y2 + x3 y1. The others are below half a unit in the last place
/// of x y, so sums are as exact as f32 sums of f32 products (Henry, Tang, Heinecke 2019, "Leveraging the bfloat16
/// Artificial Intelligence Datatype For Higher-Precision Computations").
///
/// A third term below the smallest normal number, 1.2e-38, counts as 0. Infinities, NaN and numbers above 3.39e38 have
/// no terms: simd_gemm multiplies the KC block that holds one.
const MicroKernel* split_micro_kernel();

}  // namespace mixtape::kernels

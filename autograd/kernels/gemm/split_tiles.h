#pragma once

#include "autograd/kernels/gemm/panel_gemm.h"

namespace mixtape::kernels {

/// f32 products on a unit that multiplies bfloat16, or nullptr if this machine has none that is quick enough (AMX is).
///
/// A bfloat16 has the 8 first of the 24 significant bits of an f32, so every f32 is the sum of three: x = x1 + x2 + x3,
/// x1 being x rounded, x2 what is left of it rounded, and x3 the rest. Of the nine products of x y the six largest are
/// added up in f32: x1 y1 + x1 y2 + x2 y1 + x1 y3 + x2 y2 + x3 y1. What is left out is below half a unit in the last
/// place of x y, so that sums are as exact as f32 sums of f32 products are (Henry, Tang, Heinecke 2019, "Leveraging the
/// bfloat16 Artificial Intelligence Datatype For Higher-Precision Computations").
///
/// A third piece below the smallest normal number, 1.2e-38, counts as 0. Infinities, NaN and numbers above 3.39e38 have
/// no pieces: what they take part in is computed by strip_gemm.
const PanelKernels* split_tiles();

}  // namespace mixtape::kernels

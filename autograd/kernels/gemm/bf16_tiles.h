#pragma once

#include <cstdint>
#include <vector>

#include "autograd/kernels/gemm/panel_gemm.h"

namespace mixtape::kernels {

/// What multiplies bfloat16 on this machine, best first: `AMX`, `AVX512_BF16`, or nothing. Numbers are rounded to the
/// nearest bfloat16, to even in the middle; what is too small for a normal number counts as 0. Sums are f32.
const std::vector<PanelKernels>& bf16_tiles();
/// Whether these do more than f32 multiply-adds would. A dot product of AVX512_BF16 has twice as many products as a
/// multiply-add; AMD's CPUs start one a cycle, Intel's one in two, and two multiply-adds a cycle.
bool quicker_than_multiply_adds(const PanelKernels& tiles);

}  // namespace mixtape::kernels

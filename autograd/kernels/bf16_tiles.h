#pragma once

#include <cstdint>
#include <vector>

#include "autograd/kernels/panel_gemm.h"

namespace mixtape::kernels {

/// What multiplies bfloat16 on this machine, best first: `AMX`, `AVX512_BF16`, or nothing. Numbers are rounded to the
/// nearest bfloat16, to even in the middle; what is too small for a normal number counts as 0. Sums are f32.
///
/// A panel has 32 rows of A, or columns of B, in two halves of 16. A half is cut along the inner size into tiles of
/// 16 x 32 numbers, 1 KiB each, filled up with 0. A tile of A holds its rows one after the other. A tile of B holds,
/// for each two neighbours along the inner size, the pairs of its 16 columns.
const std::vector<PanelKernels>& bf16_tiles();

}  // namespace mixtape::kernels

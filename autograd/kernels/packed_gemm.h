#pragma once

#include "autograd/kernels/panel_gemm.h"

namespace mixtape::kernels {

/// How the instruction set in use multiplies panels of f32, or nullptr if its vectors are too narrow to be worth it.
/// A panel of A holds, for each inner index, the numbers of its rows; one of B those of its columns, two vectors.
const PanelKernels<float>* packed_gemm();

/// True if that is worth while for a product: many columns, for which few rows of B are copied.
bool prefers_packed_gemm(int64_t m, int64_t n, int64_t k, const Operand<float>& a) noexcept;

}  // namespace mixtape::kernels

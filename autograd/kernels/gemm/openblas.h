#pragma once

#include "autograd/kernels/gemm/operand.h"

namespace mixtape::kernels {

/// The product by OpenBLAS, on the calling thread. m, n, k > 0; no bias and no maps.
void openblas_gemm(const GemmArguments<float>& product) noexcept;
void openblas_gemm(const GemmArguments<double>& product) noexcept;

}  // namespace mixtape::kernels

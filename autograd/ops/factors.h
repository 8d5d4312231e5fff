#pragma once

#include "autograd/kernels/gemm/gemm.h"
#include "autograd/precision.h"
#include "autograd/tape.h"

namespace mixtape {

/// How kernels multiply under the precision in scope.
inline kernels::Precision product_factors() {
  return product_dtype() == bf16 ? kernels::Precision::bf16 : kernels::Precision::full;
}

/// x rounded as products round it, in half the memory; x itself in full precision.
inline Tensor as_factor(const Tensor& x) { return x.dtype() == f32 && product_dtype() == bf16 ? x.to(bf16) : x; }

/// What a rule that only multiplies with x keeps of it.
inline Tensor kept_factor(const Tensor& x) { return Tape::recording() ? as_factor(x) : x; }

/// The f32 numbers of what was kept.
inline Tensor factor_of(Tensor kept) { return kept.dtype() == bf16 ? kept.to(f32) : kept; }

}  // namespace mixtape

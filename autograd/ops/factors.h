#pragma once

#include "autograd/kernels/gemm.h"
#include "autograd/precision.h"

namespace mixtape {

/// How kernels multiply under the precision in scope.
inline kernels::Factors product_factors() {
  return product_dtype() == bf16 ? kernels::Factors::bf16 : kernels::Factors::exact;
}

}  // namespace mixtape

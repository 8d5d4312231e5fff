#pragma once

#include "autograd/kernels/elementwise.h"
#include "autograd/kernels/gemm/gemm.h"
#include "autograd/tape/flops.h"
#include "autograd/tape/precision.h"
#include "autograd/tensors/recompute.h"
#include "autograd/tensors/tensor.h"

/// What ops with matrix products share. Not for users of ops.
namespace mixtape {

/// How kernels multiply under the precision in scope, or another.
inline kernels::Precision product_precision(DType precision = compute_precision()) {
  return precision == bf16 ? kernels::Precision::bf16 : kernels::Precision::full;
}

/// x as rows of `columns` numbers, for a product; an activation whose elements are deferred is computed while the
/// product reads it.
template <class T>
kernels::Operand<T> operand(const Tensor& x, int64_t columns, bool transposed = false) {
  if (const Recompute* deferral = x.deferral(); deferral && deferral->fusion().map) {
    const Tensor& source = deferral->sources()[0];
    if (source.dtype() == x.dtype()) return {source.data<T>(), columns, transposed, deferral->fusion().map};
  }
  return {x.data<T>(), columns, transposed};
}

/// The product of two tensors of rows, [.., k] and [k, n], or, if a is transposed, [.., m] and [.., n]: what rules of
/// products return. It is deferred, so that the tape decides where it is computed, or recorded if backward is.
Tensor rows_product(const Tensor& a, const Tensor& b, bool transpose_a = false);

/// dx = dy * f'(x), where dy may be a deferred product: then its rows go through the slope as they are computed.
void activation_grad(kernels::Unary f, const Tensor& x, const Tensor& dy, const Tensor& dx);

}  // namespace mixtape

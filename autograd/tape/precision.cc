#include "autograd/tape/precision.h"

#include <fmt/format.h>

#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/recompute.h"

namespace mixtape {
namespace {

thread_local DType precision_now = f32;

}  // namespace

MixedPrecision::MixedPrecision(DType operands) : outer_(precision_now) {
  if (operands != f32 && operands != bf16)
    fail(fmt::format("mixed precision: operands of {}, expected f32 or bf16", name_of(operands)));
  precision_now = operands;
}

MixedPrecision::~MixedPrecision() { precision_now = outer_; }

DType compute_precision() { return precision_now; }

Tensor rounded_operand(const Tensor& x) { return x.dtype() == f32 && precision_now == bf16 ? x.to(bf16) : x; }

Tensor saved_operand(const Tensor& x) {
  if (!Tape::recording() || x.dtype() != f32 || precision_now != bf16) return x;
  return Tensor::deferred(
      x.shape(), f32,
      Recompute::from("rounded operand", {x.to(bf16)}, [](std::span<const Tensor> sources, const Tensor& result, bool) {
        result.copy_from(sources[0]);
      }));
}

}  // namespace mixtape

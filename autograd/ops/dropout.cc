#include "autograd/kernels/dropout.h"

#include "autograd/ops/common.h"
#include "autograd/ops/draw.h"

namespace mixtape {
namespace {

Tensor apply(const kernels::DropoutDraw& draw, const Tensor& x) {
  Tensor y = Tensor::like(x);
  dispatch(x.dtype(), [&]<class T>(T) { kernels::dropout(draw, x.data<T>(), y.mutable_data<T>(), x.elements()); });
  return y;
}

}  // namespace

Tensor dropout(const Tensor& x, double p) {
  check_differentiable("dropout", x);
  if (!(p >= 0 && p < 1)) fail(fmt::format("dropout: probability {}, expected 0 <= p < 1", p));
  const kernels::DropoutDraw draw = dropout_draw(p);
  if (!draw) return x;
  return record(
      "dropout", {x}, apply(draw, x), Keep{}, [draw](const Kept&, const Tensor& dy) { return apply(draw, dy); },
      [draw](std::span<const Tensor> in) { return in[0] * apply(draw, Tensor::ones(in[0].shape(), in[0].dtype())); });
}

}  // namespace mixtape

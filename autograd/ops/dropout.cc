#include "autograd/kernels/dropout.h"

#include <algorithm>

#include "autograd/ops/internal/common.h"
#include "autograd/ops/internal/draw.h"

namespace mixtape {
namespace {

void apply_to(const kernels::DropoutDraw& draw, const Tensor& x, const Tensor& y) {
  dispatch(x.dtype(), [&]<class T>(T) { kernels::dropout(draw, x.data<T>(), y.mutable_data<T>(), x.elements()); });
}

Tensor apply(const kernels::DropoutDraw& draw, const Tensor& x) {
  Tensor y = Tensor::like(x);
  apply_to(draw, x, y);
  return y;
}

// x with each row, along the first axis, times its factor; the factors are constants.   factors: [rows, 1, ...]
Tensor scale_rows(const Tensor& x, const Tensor& factors) {
  Tensor y;
  {
    const Pause pause;
    y = x * factors;
  }
  return record("stochastic_depth", {x}, y, Rule(x, Save{factors}, [](const Tensor& dy, const Tensor& factors) {
                  return scale_rows(dy, factors);
                }));
}

}  // namespace

Tensor dropout(const Tensor& x, double p) {
  check_differentiable("dropout", x);
  if (!(p >= 0 && p < 1)) fail(fmt::format("dropout: probability {}, expected 0 <= p < 1", p));
  const kernels::DropoutDraw draw = dropout_draw(p);
  if (!draw) return x;
  return record("dropout", {x}, apply(draw, x),
                Rule(x, Save{}, [draw](const Tensor& dy, Gradient& dx) { apply_to(draw, dy, dx.tensor); },
                     {.overwrite_dy = true}),
                [draw](const Tensor& x) { return x * apply(draw, Tensor::ones(x.shape(), x.dtype())); });
}

Tensor stochastic_depth(const Tensor& x, double p, const Bounds& bounds) {
  check_differentiable("stochastic_depth", x);
  if (!(p >= 0 && p < 1)) fail(fmt::format("stochastic_depth: probability {}, expected 0 <= p < 1", p));
  if (x.rank() == 0) fail("stochastic_depth: a scalar, expected at least one axis");
  if (bounds.defined() && bounds.rows() != x.size(0)) {
    fail(fmt::format("stochastic_depth: {} with bounds of {} rows", to_string(x.shape()), bounds.rows()));
  }
  const kernels::DropoutDraw draw = dropout_draw(p);
  if (!draw) return x;
  Tensor factors = apply(draw, Tensor::ones({bounds.defined() ? bounds.sequences() : x.size(0)}, x.dtype()));
  if (bounds.defined()) {
    const Tensor by_sequence = factors;
    factors = Tensor::uninitialized({bounds.rows()}, x.dtype());
    dispatch(x.dtype(), [&]<class T>(T) {
      T* row = factors.mutable_data<T>();
      for (int64_t b = 0; b < bounds.sequences(); ++b)
        row = std::fill_n(row, bounds.length(b), by_sequence.data<T>()[b]);
    });
  }
  Shape shape = factors.shape();
  while (shape.rank() < x.rank()) shape = shape.followed_by({1});
  return scale_rows(x, factors.view(shape));
}

}  // namespace mixtape

#include <cmath>
#include <numbers>

#include "autograd/kernels/elementwise.h"
#include "autograd/ops/common.h"
#include "autograd/ops/factors.h"

namespace mixtape {
namespace {

const uint16_t* bits_of(const Tensor& x) { return static_cast<const uint16_t*>(x.raw_data()); }

void apply_to(kernels::Unary f, const Tensor& x, const Tensor& y) {
  if (x.dtype() == bf16) return kernels::unary(f, bits_of(x), y.mutable_data<float>(), x.elements());
  dispatch(x.dtype(), [&]<class T>(T) { kernels::unary(f, x.data<T>(), y.mutable_data<T>(), x.elements()); });
}

// The result of bf16 is f32.
Tensor apply(kernels::Unary f, const Tensor& x) {
  Tensor y = Tensor::uninitialized(x.shape(), x.dtype() == bf16 ? f32 : x.dtype());
  apply_to(f, x, y);
  return y;
}

Tensor apply(const char* op, kernels::Unary f, const Tensor& x) {
  check_differentiable(op, x);
  return apply(f, x);
}

Tensor apply_grad(kernels::Unary f, const Tensor& x, const Tensor& dy) {
  Tensor dx = room_like(dy);
  if (x.dtype() == bf16) {
    kernels::unary_grad(f, bits_of(x), dy.data<float>(), dx.mutable_data<float>(), x.elements());
    return dx;
  }
  dispatch(x.dtype(),
           [&]<class T>(T) { kernels::unary_grad(f, x.data<T>(), dy.data<T>(), dx.mutable_data<T>(), x.elements()); });
  return dx;
}

// f of what the line holds of x, in the memory of x if nobody else sees that.
Tensor apply_over(kernels::Unary f, const Tensor& held, const Tensor& x) {
  const bool inputs_stay = Tape::recording() && Tape::recording()->keeps_inputs();
  Tensor y = x.unique() && !inputs_stay ? x.view(x.shape()) : Tensor::like(x);
  apply_to(f, held, y);
  return y;
}

}  // namespace

Tensor exp(const Tensor& x) {
  Tensor y = apply("exp", kernels::Unary::exp, x);
  return record("exp", {x}, y, Keep{y}, [](const Kept& kept, const Tensor& dy) { return dy * kept[0]; });
}

Tensor log(const Tensor& x) {
  return record("log", {x}, apply("log", kernels::Unary::log, x), Keep{x},
                [](const Kept& kept, const Tensor& dy) { return dy / kept[0]; });
}

Tensor sqrt(const Tensor& x) {
  Tensor y = apply("sqrt", kernels::Unary::sqrt, x);
  return record("sqrt", {x}, y, Keep{y}, [](const Kept& kept, const Tensor& dy) { return dy * 0.5 / kept[0]; });
}

Tensor tanh(const Tensor& x) {
  Tensor y = apply("tanh", kernels::Unary::tanh, x);
  return record("tanh", {x}, y, Keep{y},
                [](const Kept& kept, const Tensor& dy) { return dy * (1.0 - kept[0] * kept[0]); });
}

Tensor erf(const Tensor& x) {
  return record("erf", {x}, apply("erf", kernels::Unary::erf, x), Keep{x}, [](const Kept& kept, const Tensor& dy) {
    return dy * exp(-(kept[0] * kept[0])) * (2 * std::numbers::inv_sqrtpi);
  });
}

Tensor relu(const Tensor& x) {
  Tensor y = apply("relu", kernels::Unary::relu, x);
  return record(
      "relu", {x}, y, Keep{y},
      [](const Kept& kept, const Tensor& dy) { return apply_grad(kernels::Unary::relu, kept[0], dy); },
      [](std::span<const Tensor> in) { return composed::relu(in[0]); });
}

Tensor gelu(Tensor x) {
  check_differentiable("gelu", x);
  const Tensor held = as_factor(x);
  Tensor y = apply_over(kernels::Unary::gelu, held, x);
  return record(
      "gelu", {x}, y, Keep{held},
      [](const Kept& kept, const Tensor& dy) { return apply_grad(kernels::Unary::gelu, kept[0], dy); },
      [](std::span<const Tensor> in) { return composed::gelu(in[0]); },
      [](const Kept& kept) { return apply(kernels::Unary::gelu, kept[0]); });
}

Tensor gelu_tanh(Tensor x) {
  check_differentiable("gelu_tanh", x);
  const Tensor held = as_factor(x);
  Tensor y = apply_over(kernels::Unary::gelu_tanh, held, x);
  return record(
      "gelu_tanh", {x}, y, Keep{held},
      [](const Kept& kept, const Tensor& dy) { return apply_grad(kernels::Unary::gelu_tanh, kept[0], dy); },
      [](std::span<const Tensor> in) { return composed::gelu_tanh(in[0]); },
      [](const Kept& kept) { return apply(kernels::Unary::gelu_tanh, kept[0]); });
}

Tensor activate(Tensor x, Activation function) {
  switch (function) {
    case Activation::relu:
      return relu(x);
    case Activation::gelu:
      return gelu(std::move(x));
    default:
      return gelu_tanh(std::move(x));
  }
}

Tensor composed::relu(const Tensor& x) {
  const Tensor zero = Tensor::zeros(x.shape(), x.dtype());
  return where(greater(x, zero), x, zero);
}

Tensor composed::gelu(const Tensor& x) { return x * (erf(x * std::numbers::sqrt2 * 0.5) + 1.0) * 0.5; }

Tensor composed::gelu_tanh(const Tensor& x) {
  const Tensor inner = (x + x * x * x * 0.044715) * std::sqrt(2 * std::numbers::inv_pi);
  return x * (tanh(inner) + 1.0) * 0.5;
}

Tensor greater(const Tensor& a, const Tensor& b) {
  check_same_dtype("greater", a, b);
  if (!(a.shape() == b.shape()))
    fail(fmt::format("greater: shapes differ: {} and {}", to_string(a.shape()), to_string(b.shape())));
  Tensor y = Tensor::uninitialized(a.shape(), i32);
  int32_t* result = y.mutable_data<int32_t>();
  dispatch(a.dtype(), [&]<class T>(T) {
    for (int64_t i = 0; i < a.elements(); ++i) result[i] = a.data<T>()[i] > b.data<T>()[i];
  });
  return y;
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  check_index("where", condition);
  check_same_dtype("where", a, b);
  const Shape shape = broadcast("where", condition.shape(), broadcast("where", a.shape(), b.shape()));
  if (!(condition.shape() == shape)) return where(broadcast_to(condition, shape), a, b);
  if (!(a.shape() == shape)) return where(condition, broadcast_to(a, shape), b);
  if (!(b.shape() == shape)) return where(condition, a, broadcast_to(b, shape));
  Tensor y = Tensor::uninitialized(shape, a.dtype());
  dispatch(a.dtype(), [&]<class T>(T) {
    kernels::select(condition.data<int32_t>(), a.data<T>(), b.data<T>(), y.mutable_data<T>(), y.elements());
  });
  return record("where", {condition, a, b}, y, Keep{condition}, [](const Kept& kept, const Tensor& dy) {
    const Tensor zero = Tensor::zeros(dy.shape(), dy.dtype());
    return Gradients(Tensor(), kept.needs(1) ? where(kept[0], dy, zero) : Tensor(),
                     kept.needs(2) ? where(kept[0], zero, dy) : Tensor());
  });
}

}  // namespace mixtape

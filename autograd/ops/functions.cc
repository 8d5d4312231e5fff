#include <cmath>
#include <numbers>

#include "autograd/kernels/elementwise.h"
#include "autograd/ops/internal/common.h"
#include "autograd/ops/internal/products.h"

namespace mixtape {
namespace {

void apply_to(kernels::Unary f, const Tensor& x, const Tensor& y) {
  if (x.dtype() == bf16)
    return kernels::unary(f, static_cast<const uint16_t*>(x.raw_data()), y.mutable_data<float>(), x.elements());
  dispatch(x.dtype(), [&]<class T>(T) { kernels::unary(f, x.data<T>(), y.mutable_data<T>(), x.elements()); });
}

Tensor apply(const char* op, kernels::Unary f, const Tensor& x) {
  check_differentiable(op, x);
  Tensor y = Tensor::like(x);
  apply_to(f, x, y);
  return y;
}

// y = f(read), element by element, where `read` is x or x rounded. Products compute y while they read it.
Tensor activation(const char* op, kernels::Unary f, const Tensor& x, const Tensor& read, const Composed& composed) {
  read.raw_data();  // computed here if it is deferred itself, so that chains of deferred tensors do not grow
  const auto compute = [f](std::span<const Tensor> from, const Tensor& y, bool) { apply_to(f, from[0], y); };
  return record(
      op, {x}, Tensor::deferred(x.shape(), x.dtype(), Recompute::from(op, {read}, compute, {.map = f})),
      Rule(x, Save{read},
           [f](const Tensor& dy, const Tensor& read, Gradient& dx) { activation_grad(f, read, dy, dx.tensor); },
           {.overwrite = {read}, .overwrite_dy = !read.is(x), .read_product = true}),
      composed);
}

}  // namespace

Tensor exp(const Tensor& x) {
  Tensor y = apply("exp", kernels::Unary::exp, x);
  return record("exp", {x}, y, Rule(x, Save{y}, [](const Tensor& dy, const Tensor& y) { return dy * y; }));
}

Tensor log(const Tensor& x) {
  return record("log", {x}, apply("log", kernels::Unary::log, x),
                Rule(x, Save{x}, [](const Tensor& dy, const Tensor& x) { return dy / x; }));
}

Tensor sqrt(const Tensor& x) {
  Tensor y = apply("sqrt", kernels::Unary::sqrt, x);
  return record("sqrt", {x}, y, Rule(x, Save{y}, [](const Tensor& dy, const Tensor& y) { return dy * 0.5 / y; }));
}

Tensor tanh(const Tensor& x) {
  Tensor y = apply("tanh", kernels::Unary::tanh, x);
  return record("tanh", {x}, y, Rule(x, Save{y}, [](const Tensor& dy, const Tensor& y) { return dy * (1.0 - y * y); }));
}

Tensor erf(const Tensor& x) {
  return record("erf", {x}, apply("erf", kernels::Unary::erf, x),
                Rule(x, Save{x}, [](const Tensor& dy, const Tensor& x) {
                  return dy * exp(-(x * x)) * (2 * std::numbers::inv_sqrtpi);
                }));
}

Tensor relu(const Tensor& x) {
  check_differentiable("relu", x);
  return activation("relu", kernels::Unary::relu, x, x, composed::relu);
}

Tensor gelu(const Tensor& x) {
  check_differentiable("gelu", x);
  return activation("gelu", kernels::Unary::gelu, x, rounded_operand(x), composed::gelu);
}

Tensor gelu_tanh(const Tensor& x) {
  check_differentiable("gelu_tanh", x);
  return activation("gelu_tanh", kernels::Unary::gelu_tanh, x, rounded_operand(x), composed::gelu_tanh);
}

Tensor activate(const Tensor& x, Activation function) {
  switch (function) {
    case Activation::relu:
      return relu(x);
    case Activation::gelu:
      return gelu(x);
    default:
      return gelu_tanh(x);
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
  return record("where", {condition, a, b}, y,
                {Rule(a, Save{condition},
                      [](const Tensor& dy, const Tensor& condition) {
                        return where(condition, dy, Tensor::zeros(dy.shape(), dy.dtype()));
                      }),
                 Rule(b, Save{condition}, [](const Tensor& dy, const Tensor& condition) {
                   return where(condition, Tensor::zeros(dy.shape(), dy.dtype()), dy);
                 })});
}

}  // namespace mixtape

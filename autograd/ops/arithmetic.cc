#include "autograd/kernels/elementwise.h"
#include "autograd/kernels/reduce.h"
#include "autograd/ops/internal/accumulate.h"
#include "autograd/ops/internal/common.h"

namespace mixtape {
namespace {

// The strides with which a tensor of `shape` is read when it is broadcast to `target`: 0 along stretched axes.
void fill_strides(const Shape& shape, const Shape& target, int64_t* strides) {
  int64_t stride = 1;
  for (int axis = 1; axis <= target.rank(); ++axis) {
    const int64_t n = axis <= shape.rank() ? shape[-axis] : 1;
    strides[target.rank() - axis] = n == 1 ? 0 : stride;
    stride *= n;
  }
}

Tensor combine(const char* op, kernels::Binary f, const Tensor& a, const Tensor& b) {
  check_same_dtype(op, a, b);
  const Shape shape = broadcast(op, a.shape(), b.shape());
  Tensor y = Tensor::uninitialized(shape, a.dtype());
  if (y.elements() == 0) return y;
  kernels::BroadcastLoop loop;
  loop.rank = shape.rank();
  std::copy(shape.begin(), shape.end(), loop.sizes);
  fill_strides(a.shape(), shape, loop.a_strides);
  fill_strides(b.shape(), shape, loop.b_strides);
  dispatch(a.dtype(), [&]<class T>(T) { kernels::binary(f, loop, a.data<T>(), b.data<T>(), y.mutable_data<T>()); });
  return y;
}

Tensor affine(const Tensor& x, double factor, double term) {
  Tensor y = Tensor::like(x);
  dispatch(x.dtype(),
           [&]<class T>(T) { kernels::affine(x.data<T>(), factor, term, y.mutable_data<T>(), x.elements()); });
  return y;
}

}  // namespace

Tensor operator+(const Tensor& a, const Tensor& b) {
  return record("add", {a, b}, combine("add", kernels::Binary::add, a, b),
                {Rule(a, Save{}, [shape = a.shape()](const Tensor& dy) { return sum_to(dy, shape); }),
                 Rule(b, Save{}, [shape = b.shape()](const Tensor& dy) { return sum_to(dy, shape); })});
}

Tensor operator-(const Tensor& a, const Tensor& b) {
  return record("subtract", {a, b}, combine("subtract", kernels::Binary::subtract, a, b),
                {Rule(a, Save{}, [shape = a.shape()](const Tensor& dy) { return sum_to(dy, shape); }),
                 Rule(b, Save{}, [shape = b.shape()](const Tensor& dy) { return sum_to(-dy, shape); })});
}

Tensor operator*(const Tensor& a, const Tensor& b) {
  return record(
      "multiply", {a, b}, combine("multiply", kernels::Binary::multiply, a, b),
      {Rule(a, Save{b}, [shape = a.shape()](const Tensor& dy, const Tensor& b) { return sum_to(dy * b, shape); }),
       Rule(b, Save{a}, [shape = b.shape()](const Tensor& dy, const Tensor& a) { return sum_to(dy * a, shape); })});
}

Tensor operator/(const Tensor& a, const Tensor& b) {
  return record(
      "divide", {a, b}, combine("divide", kernels::Binary::divide, a, b),
      {Rule(a, Save{b}, [shape = a.shape()](const Tensor& dy, const Tensor& b) { return sum_to(dy / b, shape); }),
       Rule(b, Save{a, b}, [shape = b.shape()](const Tensor& dy, const Tensor& a, const Tensor& b) {
         return sum_to(-(dy / b * a / b), shape);
       })});
}

Tensor operator*(const Tensor& x, double factor) {
  check_differentiable("scale", x);
  return record("scale", {x}, affine(x, factor, 0),
                Rule(x, Save{}, [factor](const Tensor& dy) { return dy * factor; }));
}

Tensor operator+(const Tensor& x, double term) {
  check_differentiable("shift", x);
  return record("shift", {x}, affine(x, 1, term), Rule(x, Save{}, [](const Tensor& dy) { return dy; }));
}

void add_in_place(const Tensor& sum, const Tensor& x) {
  dispatch(sum.dtype(), [&]<class T>(T) { kernels::add_to(x.data<T>(), sum.mutable_data<T>(), x.elements()); });
}

}  // namespace mixtape

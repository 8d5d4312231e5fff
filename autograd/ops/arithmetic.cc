#include "autograd/kernels/elementwise.h"
#include "autograd/kernels/reduce.h"
#include "autograd/ops/accumulate.h"
#include "autograd/ops/common.h"

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
  return record("add", {a, b}, combine("add", kernels::Binary::add, a, b), Keep{},
                [sa = a.shape(), sb = b.shape()](const Kept&, const Tensor& dy) {
                  return Gradients(sum_to(dy, sa), sum_to(dy, sb));
                });
}

Tensor operator-(const Tensor& a, const Tensor& b) {
  return record("subtract", {a, b}, combine("subtract", kernels::Binary::subtract, a, b), Keep{},
                [sa = a.shape(), sb = b.shape()](const Kept& kept, const Tensor& dy) {
                  return Gradients(sum_to(dy, sa), kept.needs(1) ? sum_to(-dy, sb) : Tensor());
                });
}

Tensor operator*(const Tensor& a, const Tensor& b) {
  return record("multiply", {a, b}, combine("multiply", kernels::Binary::multiply, a, b), Keep{a, b},
                [](const Kept& kept, const Tensor& dy) {
                  const Tensor &a = kept[0], &b = kept[1];
                  return Gradients(kept.needs(0) ? sum_to(dy * b, a.shape()) : Tensor(),
                                   kept.needs(1) ? sum_to(dy * a, b.shape()) : Tensor());
                });
}

Tensor operator/(const Tensor& a, const Tensor& b) {
  return record("divide", {a, b}, combine("divide", kernels::Binary::divide, a, b), Keep{a, b},
                [](const Kept& kept, const Tensor& dy) {
                  const Tensor &a = kept[0], &b = kept[1];
                  const Tensor da = dy / b;
                  return Gradients(kept.needs(0) ? sum_to(da, a.shape()) : Tensor(),
                                   kept.needs(1) ? sum_to(-(da * a / b), b.shape()) : Tensor());
                });
}

Tensor operator*(const Tensor& x, double factor) {
  check_differentiable("scale", x);
  return record("scale", {x}, affine(x, factor, 0), Keep{},
                [factor](const Kept&, const Tensor& dy) { return dy * factor; });
}

Tensor operator+(const Tensor& x, double term) {
  check_differentiable("shift", x);
  return record("shift", {x}, affine(x, 1, term), Keep{}, [](const Kept&, const Tensor& dy) { return dy; });
}

void add_in_place(const Tensor& sum, const Tensor& x) {
  dispatch(sum.dtype(), [&]<class T>(T) { kernels::add_to(x.data<T>(), sum.mutable_data<T>(), x.elements()); });
}

}  // namespace mixtape

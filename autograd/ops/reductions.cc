#include <algorithm>
#include <numeric>
#include <vector>

#include "autograd/kernels/reduce.h"
#include "autograd/ops/internal/common.h"

namespace mixtape {
namespace {

Shape reduced(const Shape& shape, int axis, bool keep_axis) {
  return keep_axis ? shape.with(axis, 1) : shape.without(axis);
}

// 1 at the indices along an axis that were chosen, 0 elsewhere.
Tensor indicator(const Tensor& indices, const Shape& shape, int axis, DType dtype) {
  const AxisView view = axis_view(shape, axis);
  Tensor result = Tensor::zeros(shape, dtype);
  dispatch(dtype, [&]<class T>(T) {
    T* data = result.mutable_data<T>();
    const int32_t* index = indices.data<int32_t>();
    for (int64_t o = 0; o < view.outer; ++o)
      for (int64_t i = 0; i < view.inner; ++i) data[(o * view.n + index[o * view.inner + i]) * view.inner + i] = 1;
  });
  return result;
}

}  // namespace

Tensor sum(const Tensor& x) {
  check_differentiable("sum", x);
  Tensor y = Tensor::uninitialized({}, x.dtype());
  dispatch(x.dtype(), [&]<class T>(T) { kernels::sum(x.data<T>(), y.mutable_data<T>(), 1, x.elements(), 1); });
  return record("sum", {x}, y,
                Rule(x, Save{}, [shape = x.shape()](const Tensor& dy) { return broadcast_to(dy, shape); }));
}

Tensor sum(const Tensor& x, int axis, bool keep_axis) {
  check_differentiable("sum", x);
  axis = x.shape().index(axis);
  const AxisView view = axis_view(x.shape(), axis);
  Tensor y = Tensor::uninitialized(reduced(x.shape(), axis, keep_axis), x.dtype());
  dispatch(x.dtype(),
           [&]<class T>(T) { kernels::sum(x.data<T>(), y.mutable_data<T>(), view.outer, view.n, view.inner); });
  return record("sum", {x}, y, Rule(x, Save{}, [shape = x.shape(), axis](const Tensor& dy) {
                  return broadcast_to(reshape(dy, shape.with(axis, 1)), shape);
                }));
}

Tensor mean(const Tensor& x) { return sum(x) / static_cast<double>(x.elements()); }

Tensor mean(const Tensor& x, int axis, bool keep_axis) {
  return sum(x, axis, keep_axis) / static_cast<double>(x.size(axis));
}

Tensor argmax(const Tensor& x, int axis) {
  check_differentiable("argmax", x);
  const AxisView view = axis_view(x.shape(), axis);
  if (view.n == 0) fail(fmt::format("argmax: axis {} of {} is empty", axis, to_string(x.shape())));
  Tensor indices = Tensor::uninitialized(x.shape().without(axis), i32);
  dispatch(x.dtype(), [&]<class T>(T) {
    kernels::argmax(x.data<T>(), indices.mutable_data<int32_t>(), view.outer, view.n, view.inner);
  });
  return indices;
}

Tensor max(const Tensor& x, int axis, bool keep_axis) {
  axis = x.shape().index(axis);
  const Tensor indices = argmax(x, axis);
  const AxisView view = axis_view(x.shape(), axis);
  Tensor y = Tensor::uninitialized(reduced(x.shape(), axis, keep_axis), x.dtype());
  dispatch(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    const int32_t* index = indices.data<int32_t>();
    for (int64_t o = 0; o < view.outer; ++o)
      for (int64_t i = 0; i < view.inner; ++i, ++index) *to++ = from[(o * view.n + *index) * view.inner + i];
  });
  return record(
      "max", {x}, y, Rule(x, Save{indices}, [shape = x.shape(), axis](const Tensor& dy, const Tensor& indices) {
        return broadcast_to(reshape(dy, shape.with(axis, 1)), shape) * indicator(indices, shape, axis, dy.dtype());
      }));
}

TopK top_k(const Tensor& x, int64_t k) {
  check_differentiable("top_k", x);
  const Rows matrix = rows_of("top_k", x);
  const int64_t rows = matrix.rows, n = matrix.n;
  if (k < 1 || k > n) fail(fmt::format("top_k: {} of the {} elements of {}", k, n, to_string(x.shape())));
  Tensor indices = Tensor::uninitialized(x.shape().with(-1, k), i32);
  dispatch(x.dtype(), [&]<class T>(T) {
    std::vector<int32_t> order(static_cast<size_t>(n));
    for (int64_t row = 0; row < rows; ++row) {
      const T* from = x.data<T>() + row * n;
      std::iota(order.begin(), order.end(), 0);
      std::partial_sort(order.begin(), order.begin() + k, order.end(),
                        [from](int32_t a, int32_t b) { return from[a] > from[b] || (from[a] == from[b] && a < b); });
      std::copy_n(order.begin(), k, indices.mutable_data<int32_t>() + row * k);
    }
  });
  return {gather(x, indices, -1), indices};
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  if (!(broadcast("sum_to", shape, x.shape()) == x.shape())) {
    fail(fmt::format("sum_to: {} does not stretch to {}", to_string(shape), to_string(x.shape())));
  }
  Tensor y = x;
  while (y.rank() > shape.rank()) y = sum(y, 0);
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (shape[axis] == 1 && y.size(axis) != 1) y = sum(y, axis, true);
  return y;
}

}  // namespace mixtape

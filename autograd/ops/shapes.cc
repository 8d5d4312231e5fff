#include <algorithm>
#include <numeric>
#include <vector>

#include "autograd/kernels/move.h"
#include "autograd/ops/internal/common.h"

namespace mixtape {
namespace {

// Copies x to a tensor of `shape` in which axis i advances by strides[i] elements of x.
Tensor permuted(const Tensor& x, const Shape& shape, const int64_t* strides) {
  Tensor y = Tensor::uninitialized(shape, x.dtype());
  if (y.elements() == 0) return y;
  kernels::PermuteLoop loop;
  loop.rank = std::max(shape.rank(), 1);
  loop.sizes[0] = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    loop.sizes[axis] = shape[axis];
    loop.strides[axis] = strides[axis];
  }
  kernels::permute(loop, size_of(x.dtype()), x.raw_data(), y.mutable_raw_data());
  return y;
}

void contiguous_strides(const Shape& shape, int64_t* strides) {
  int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  if (x.elements() != shape.elements()) {
    fail(fmt::format("reshape: {} has {} elements, {} has {}", to_string(x.shape()), x.elements(), to_string(shape),
                     shape.elements()));
  }
  return record("reshape", {x}, x.view(shape),
                Rule(x, Save{}, [before = x.shape()](const Tensor& dy) { return reshape(dy, before); }));
}

Tensor reshape(const Tensor& x, std::initializer_list<int64_t> sizes) {
  if (std::count(sizes.begin(), sizes.end(), -1) > 1) fail("reshape: more than one size is -1");
  int64_t rest = x.elements();  // what is left for the size that is -1
  for (int64_t size : sizes)
    if (size != -1) rest = size > 0 ? rest / size : 0;
  Shape shape;
  for (int64_t size : sizes) shape = shape.followed_by({size == -1 ? rest : size});
  return reshape(x, shape);
}

Tensor transpose(const Tensor& x, int axis_a, int axis_b) {
  const int a = x.shape().index(axis_a), b = x.shape().index(axis_b);
  int64_t strides[Shape::kMaxRank];
  contiguous_strides(x.shape(), strides);
  std::swap(strides[a], strides[b]);
  const Shape shape = x.shape().with(a, x.size(b)).with(b, x.size(a));
  return record("transpose", {x}, permuted(x, shape, strides),
                Rule(x, Save{}, [a, b](const Tensor& dy) { return transpose(dy, a, b); }));
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  if (!(broadcast("broadcast_to", x.shape(), shape) == shape)) {
    fail(fmt::format("broadcast_to: {} does not stretch to {}", to_string(x.shape()), to_string(shape)));
  }
  int64_t own[Shape::kMaxRank], strides[Shape::kMaxRank] = {};
  contiguous_strides(x.shape(), own);
  for (int axis = 0; axis < x.rank(); ++axis)
    strides[shape.rank() - x.rank() + axis] = x.size(axis) == 1 ? 0 : own[axis];
  return record("broadcast_to", {x}, permuted(x, shape, strides),
                Rule(x, Save{}, [before = x.shape()](const Tensor& dy) { return sum_to(dy, before); }));
}

Tensor concat(Tensors parts, int axis) {
  if (parts.size() == 0) fail("concat: no parts");
  const Tensor& leading = *parts.begin();
  const Shape& shape = leading.shape();
  axis = shape.index(axis);
  int64_t total = 0;
  for (const Tensor& part : parts) {
    if (part.dtype() != leading.dtype() || part.rank() != shape.rank() ||
        !(part.shape().with(axis, 1) == shape.with(axis, 1))) {
      fail(fmt::format("concat: {} {} and {} {} do not join along axis {}", name_of(leading.dtype()), to_string(shape),
                       name_of(part.dtype()), to_string(part.shape()), axis));
    }
    total += part.size(axis);
  }
  Tensor y = Tensor::uninitialized(shape.with(axis, total), leading.dtype());
  const AxisView view = axis_view(y.shape(), axis);
  const int64_t inner = view.inner * size_of(y.dtype());
  int64_t start = 0;  // in bytes
  for (const Tensor& part : parts) {
    const int64_t bytes = part.size(axis) * inner;
    kernels::copy_rows(part.raw_data(), bytes, static_cast<char*>(y.mutable_raw_data()) + start, view.n * inner,
                       view.outer, bytes);
    start += bytes;
  }
  const auto rule_of = [axis](const Tensor& part, int64_t first) {
    return Rule(part, Save{},
                [axis, first, n = part.size(axis)](const Tensor& dy) { return slice(dy, axis, first, first + n); });
  };
  if (parts.size() == 2)
    return record("concat", parts, y, {rule_of(parts[0], 0), rule_of(parts[1], parts[0].size(axis))});
  std::vector<Rule> rules;
  int64_t first = 0;
  for (const Tensor& part : parts) {
    rules.push_back(rule_of(part, first));
    first += part.size(axis);
  }
  return record("concat", parts, y, rules);
}

std::vector<Tensor> split(const Tensor& x, const std::vector<int64_t>& sizes, int axis) {
  if (std::accumulate(sizes.begin(), sizes.end(), int64_t{0}) != x.size(axis)) {
    fail(fmt::format("split: sizes {} do not add up to axis {} of {}", fmt::join(sizes, " + "), axis,
                     to_string(x.shape())));
  }
  std::vector<Tensor> parts;
  int64_t first = 0;
  for (int64_t size : sizes) {
    parts.push_back(slice(x, axis, first, first + size));
    first += size;
  }
  return parts;
}

Tensor slice(const Tensor& x, int axis, int64_t first, int64_t last) {
  axis = x.shape().index(axis);
  if (first < 0 || last < first || last > x.size(axis)) {
    fail(fmt::format("slice: [{}, {}) of axis {} of {}", first, last, axis, to_string(x.shape())));
  }
  const AxisView view = axis_view(x.shape(), axis);
  const int64_t inner = view.inner * size_of(x.dtype());
  Tensor y = Tensor::uninitialized(x.shape().with(axis, last - first), x.dtype());
  kernels::copy_rows(static_cast<const char*>(x.raw_data()) + first * inner, view.n * inner, y.mutable_raw_data(),
                     (last - first) * inner, view.outer, (last - first) * inner);
  return record("slice", {x}, y, Rule(x, Save{}, [shape = x.shape(), axis, first](const Tensor& dy) {
                  return place(dy, shape, axis, first);
                }));
}

Tensor place(const Tensor& x, const Shape& shape, int axis, int64_t first) {
  axis = shape.index(axis);
  const int64_t n = x.size(axis);
  if (!(x.shape().with(axis, shape[axis]) == shape) || first < 0 || first + n > shape[axis]) {
    fail(fmt::format("place: {} at {} of axis {} of {}", to_string(x.shape()), first, axis, to_string(shape)));
  }
  Tensor y = Tensor::zeros(shape, x.dtype());
  const AxisView view = axis_view(shape, axis);
  const int64_t inner = view.inner * size_of(x.dtype());
  kernels::copy_rows(x.raw_data(), n * inner, static_cast<char*>(y.mutable_raw_data()) + first * inner, view.n * inner,
                     view.outer, n * inner);
  return record("place", {x}, y,
                Rule(x, Save{}, [axis, first, n](const Tensor& dy) { return slice(dy, axis, first, first + n); }));
}

Tensor cast(const Tensor& x, DType dtype) {
  check_differentiable("cast", x);
  if (x.dtype() == dtype) return x;
  return record("cast", {x}, x.to(dtype),
                Rule(x, Save{}, [before = x.dtype()](const Tensor& dy) { return cast(dy, before); }));
}

}  // namespace mixtape

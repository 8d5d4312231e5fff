#include "autograd/kernels/move.h"
#include "autograd/ops/internal/common.h"

namespace mixtape {
namespace {

void check_range(const char* op, const Tensor& indices, int64_t limit) {
  check_index(op, indices);
  const int32_t* index = indices.data<int32_t>();
  for (int64_t i = 0; i < indices.elements(); ++i) {
    if (index[i] < 0 || index[i] >= limit)
      fail(fmt::format("{}: index {} at place {}, expected 0 to {}", op, index[i], i, limit - 1));
  }
}

void check_gather(const char* op, const Tensor& indices, const Shape& table, int axis) {
  if (indices.rank() != table.rank() || !(indices.shape().with(axis, table[axis]) == table)) {
    fail(fmt::format("{}: indices {} along axis {} of {}", op, to_string(indices.shape()), axis, to_string(table)));
  }
  check_range(op, indices, table[axis]);
}

}  // namespace

Tensor gather(const Tensor& x, const Tensor& indices, int axis) {
  check_differentiable("gather", x);
  axis = x.shape().index(axis);
  check_gather("gather", indices, x.shape(), axis);
  Tensor y = Tensor::uninitialized(indices.shape(), x.dtype());
  const AxisView view = axis_view(x.shape(), axis);
  const int64_t n = indices.size(axis);
  dispatch(x.dtype(), [&]<class T>(T) {
    const int32_t* index = indices.data<int32_t>();
    T* to = y.mutable_data<T>();
    for (int64_t row = 0; row < view.outer * n; ++row)
      for (int64_t i = 0; i < view.inner; ++i) *to++ = x.data<T>()[(row / n * view.n + *index++) * view.inner + i];
  });
  return record("gather", {x, indices}, y,
                Rule(x, Save{indices}, [shape = x.shape(), axis](const Tensor& dy, const Tensor& indices) {
                  return scatter_add(dy, indices, axis, shape);
                }));
}

Tensor scatter_add(const Tensor& x, const Tensor& indices, int axis, const Shape& shape) {
  check_differentiable("scatter_add", x);
  axis = shape.index(axis);
  check_gather("scatter_add", indices, shape, axis);
  if (!(x.shape() == indices.shape())) {
    fail(fmt::format("scatter_add: {} with indices {}", to_string(x.shape()), to_string(indices.shape())));
  }
  Tensor y = Tensor::zeros(shape, x.dtype());
  const AxisView view = axis_view(shape, axis);
  const int64_t n = indices.size(axis);
  dispatch(x.dtype(), [&]<class T>(T) {
    const int32_t* index = indices.data<int32_t>();
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    for (int64_t row = 0; row < view.outer * n; ++row)
      for (int64_t i = 0; i < view.inner; ++i) to[(row / n * view.n + *index++) * view.inner + i] += *from++;
  });
  return record("scatter_add", {x, indices}, y, Rule(x, Save{indices}, [axis](const Tensor& dy, const Tensor& indices) {
                  return gather(dy, indices, axis);
                }));
}

Tensor embedding(const Tensor& indices, const Tensor& table) {
  check_differentiable("embedding", table);
  if (table.rank() != 2) fail(fmt::format("embedding: table {}, expected [V, C]", to_string(table.shape())));
  check_range("embedding", indices, table.size(0));
  Tensor y = Tensor::uninitialized(indices.shape().followed_by({table.size(1)}), table.dtype());
  kernels::gather_rows(table.raw_data(), indices.data<int32_t>(), y.mutable_raw_data(), indices.elements(),
                       table.size(1) * size_of(table.dtype()));
  return record("embedding", {indices, table}, y,
                Rule(table, Save{indices}, [rows = table.size(0)](const Tensor& dy, const Tensor& indices) {
                  return embedding_grad(dy, indices, rows);
                }));
}

Tensor embedding_grad(const Tensor& x, const Tensor& indices, int64_t rows) {
  check_differentiable("embedding_grad", x);
  check_range("embedding_grad", indices, rows);
  if (x.rank() == 0 || !(x.shape().without(-1) == indices.shape())) {
    fail(fmt::format("embedding_grad: {} with indices {}", to_string(x.shape()), to_string(indices.shape())));
  }
  Tensor table = Tensor::uninitialized({rows, x.size(-1)}, x.dtype());
  dispatch(x.dtype(), [&]<class T>(T) {
    kernels::scatter_add_rows(x.data<T>(), indices.data<int32_t>(), table.mutable_data<T>(), indices.elements(), rows,
                              x.size(-1));
  });
  return record("embedding_grad", {x, indices}, table,
                Rule(x, Save{indices}, [](const Tensor& dy, const Tensor& indices) { return embedding(indices, dy); }));
}

Tensor to_padded(const Tensor& packed, const Bounds& bounds) {
  if (packed.rank() == 0 || packed.size(0) != bounds.rows()) {
    fail(fmt::format("to_padded: {} with bounds of {} rows", to_string(packed.shape()), bounds.rows()));
  }
  const Shape item = packed.shape().slice(1, packed.rank());
  const Shape shape = Shape{bounds.sequences(), bounds.longest()}.followed_by(item);
  if (bounds.rows() == 0) return Tensor::zeros(shape, packed.dtype());
  const Tensor rows = embedding(bounds.rows_of_padded(), reshape(packed, {bounds.rows(), item.elements()}));
  const Tensor zero = Tensor::scalar(0, packed.dtype());
  return reshape(where(reshape(bounds.padded_places(), {bounds.sequences(), bounds.longest(), 1}), rows, zero), shape);
}

Tensor to_packed(const Tensor& padded, const Bounds& bounds) {
  if (padded.rank() < 2 || padded.size(0) != bounds.sequences() || padded.size(1) != bounds.longest()) {
    fail(fmt::format("to_packed: {} with bounds of {} sequences up to {}", to_string(padded.shape()),
                     bounds.sequences(), bounds.longest()));
  }
  const Shape item = padded.shape().slice(2, padded.rank());
  const Tensor places = reshape(padded, {bounds.sequences() * bounds.longest(), item.elements()});
  return reshape(embedding(bounds.places_of_rows(), places), Shape{bounds.rows()}.followed_by(item));
}

}  // namespace mixtape

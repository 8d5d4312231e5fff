#pragma once

#include <fmt/format.h>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"

/// What the files of this folder share. Not for users of ops.
namespace mixtape {

/// Throws unless x is f32 or f64.
inline void check_differentiable(const char* op, const Tensor& x) {
  if (!is_differentiable(x.dtype()))
    fail(fmt::format("{}: {} {}, expected f32 or f64", op, name_of(x.dtype()), to_string(x.shape())));
}

/// Throws unless both are f32 or both are f64.
inline void check_same_dtype(const char* op, const Tensor& a, const Tensor& b) {
  check_differentiable(op, a);
  if (a.dtype() != b.dtype()) {
    fail(fmt::format("{}: dtypes differ: {} {} and {} {}", op, name_of(a.dtype()), to_string(a.shape()),
                     name_of(b.dtype()), to_string(b.shape())));
  }
}

/// Throws unless x is i32.
inline void check_index(const char* op, const Tensor& x) {
  if (x.dtype() != i32) fail(fmt::format("{}: indices are {}, expected i32", op, name_of(x.dtype())));
}

/// A tensor of rows: [..., n] as rows x n.
struct Rows {
  int64_t rows, n;
};
inline Rows rows_of(const char* op, const Tensor& x) {
  if (x.rank() == 0) fail(fmt::format("{}: a scalar, expected at least one axis", op));
  const int64_t n = x.size(-1);
  return {n == 0 ? 0 : x.elements() / n, n};
}

/// The sizes before, at and after an axis: [outer, n, inner].
struct AxisView {
  int64_t outer, n, inner;
};
inline AxisView axis_view(const Shape& shape, int axis) {
  const int i = shape.index(axis);
  return {shape.slice(0, i).elements(), shape[i], shape.slice(i + 1, shape.rank()).elements()};
}

}  // namespace mixtape

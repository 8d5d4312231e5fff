#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "autograd/kernels/elementwise.h"
#include "autograd/kernels/workspace.h"

namespace mixtape::kernels {

/// An operand of a matrix product: row-major, `stride` elements from row to row, read as its transpose if `transposed`.
/// If `map` is given, the function is applied to each element first; gemm_batch and pack_b take no map.
template <class T>
struct Operand {
  const T* data;
  int64_t stride;
  bool transposed = false;
  std::optional<Unary> map = {};
};

/// The operand without its first rows, or columns.
template <class T>
Operand<T> rows_from(Operand<T> x, int64_t row) {
  x.data += row * (x.transposed ? 1 : x.stride);
  return x;
}
template <class T>
Operand<T> columns_from(Operand<T> x, int64_t column) {
  x.data += column * (x.transposed ? x.stride : 1);
  return x;
}

/// x: [rows, columns] without a map: x itself, or a copy with the function applied in that workspace, made on all
/// compute threads.
template <class T>
Operand<T> mapped(Operand<T> x, int64_t rows, int64_t columns, Workspace purpose) noexcept;

/// Floating point operations of a product.
constexpr double gemm_flops(int64_t m, int64_t n, int64_t k) {
  return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

/// A product C = alpha A B + beta C, or alpha A B + bias if a bias is given (beta is 0 then).
/// A: [m, k]  B: [k, n]  C: [m, n], c_stride elements from row to row  bias: [n]
template <class T>
struct GemmArguments {
  int64_t m, n, k;
  T alpha;
  Operand<T> a, b;
  T beta;
  T* c;
  int64_t c_stride;
  const T* bias = nullptr;

  double flops() const { return gemm_flops(m, n, k); }
  /// The product of these rows and columns of C.
  GemmArguments block(int64_t row, int64_t rows, int64_t column, int64_t columns) const {
    GemmArguments part = *this;
    part.m = std::min(rows, m - row), part.n = std::min(columns, n - column);
    part.a = rows_from(a, row), part.b = columns_from(b, column);
    part.c += row * c_stride + column;
    if (bias) part.bias += column;
    return part;
  }
  /// The part of the sums over [from, from + depth) of the inner size, which are added to C from the second part on.
  GemmArguments inner(int64_t from, int64_t depth) const {
    GemmArguments part = *this;
    part.k = depth;
    part.a = columns_from(a, from), part.b = rows_from(b, from);
    if (from > 0) part.beta = 1, part.bias = nullptr;
    return part;
  }
};

}  // namespace mixtape::kernels

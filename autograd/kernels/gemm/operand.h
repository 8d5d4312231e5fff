#pragma once

#include <cstdint>
#include <optional>

#include "autograd/kernels/elementwise.h"
#include "autograd/kernels/scratch.h"

namespace mixtape::kernels {

/// One operand of a matrix product: row-major, `stride` elements from row to row, read as its transpose if
/// `transposed`. If `map` is given, each number goes through it first. That is for single products (gemm, gemm_tile,
/// strip_gemm, bf16_gemm, panel_gemm); batches of products and lay_out are not given one.
template <class T>
struct Operand {
  const T* data;
  int64_t stride;
  bool transposed = false;
  std::optional<Unary> map = {};
};

/// The operand from one of its rows, or columns, on.
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

/// The operand, rows x columns, without a map: if it has one, a copy in that room of the calling thread's scratch
/// memory, made on all compute threads.
Operand<float> mapped(Operand<float> x, int64_t rows, int64_t columns, Room room) noexcept;
Operand<double> mapped(Operand<double> x, int64_t rows, int64_t columns, Room room) noexcept;

}  // namespace mixtape::kernels

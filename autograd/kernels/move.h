#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// Kernels that move elements, for every dtype.

/// y[i0, i1, ..] = x[sum_k i_k strides[k]]; y is contiguous of the given sizes, elements have `width` bytes.
struct PermuteLoop {
  int rank = 0;
  int64_t sizes[8] = {};
  int64_t strides[8] = {};
};
void permute(const PermuteLoop& loop, int64_t width, const void* x, void* y) noexcept;

/// Copies `rows` rows of `bytes` bytes; strides are in bytes.
void copy_rows(const void* x, int64_t x_stride, void* y, int64_t y_stride, int64_t rows, int64_t bytes) noexcept;

/// y row i = table row indices[i], rows of `bytes` bytes.
void gather_rows(const void* table, const int32_t* indices, void* y, int64_t count, int64_t bytes) noexcept;

/// table = 0, then table row indices[i] += dy row i, in the order of i.   dy: [count, n]  table: [table_rows, n]
template <class T>
void scatter_add_rows(const T* dy, const int32_t* indices, T* table, int64_t count, int64_t table_rows,
                      int64_t n) noexcept;

}  // namespace mixtape::kernels

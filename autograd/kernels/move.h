#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// Kernels that move elements of `width` bytes each and compute nothing; they serve every dtype.

/// A copy in another order of axes: y, contiguous of the given sizes, reads x at sum_k index_k * strides[k] (in
/// elements).
struct PermuteLoop {
  int rank = 0;
  int64_t sizes[8] = {};
  int64_t strides[8] = {};
};
void permute(const PermuteLoop& loop, int64_t width, const void* x, void* y) noexcept;

/// Copies `rows` runs of `bytes` bytes, from x_stride to y_stride bytes apart.
void copy_rows(const void* x, int64_t x_stride, void* y, int64_t y_stride, int64_t rows, int64_t bytes) noexcept;

/// y row i = table row indices[i], rows of `bytes` bytes.
void gather_rows(const void* table, const int32_t* indices, void* y, int64_t count, int64_t bytes) noexcept;

/// table row indices[i] += dy row i, in the order of i; table: [table_rows, n], overwritten with zeros first.
void scatter_add_rows(const float* dy, const int32_t* indices, float* table, int64_t count, int64_t table_rows,
                      int64_t n) noexcept;
void scatter_add_rows(const double* dy, const int32_t* indices, double* table, int64_t count, int64_t table_rows,
                      int64_t n) noexcept;

}  // namespace mixtape::kernels

#include "autograd/kernels/move.h"

#include <algorithm>
#include <cstring>

#include "autograd/kernels/parallel.h"

namespace mixtape::kernels {
namespace {

constexpr int64_t kBytes = 1 << 16;  // moved by a piece

template <class Word>
void permute_words(const PermuteLoop& loop, const Word* x, Word* y) noexcept {
  if (loop.rank == 0) {
    *y = *x;
    return;
  }
  const int inner = loop.rank - 1;
  const int64_t n = loop.sizes[inner], stride = loop.strides[inner];
  int64_t runs = 1;
  for (int axis = 0; axis < inner; ++axis) runs *= loop.sizes[axis];
  parallel_for(runs, grain_for(n * static_cast<int64_t>(sizeof(Word)), kBytes), [=](int64_t first, int64_t last) {
    for (int64_t run = first; run < last; ++run) {
      int64_t offset = 0, rest = run;
      for (int axis = inner - 1; axis >= 0; --axis) {
        offset += rest % loop.sizes[axis] * loop.strides[axis];
        rest /= loop.sizes[axis];
      }
      Word* to = y + run * n;
      for (int64_t i = 0; i < n; ++i) to[i] = x[offset + i * stride];
    }
  });
}

}  // namespace

void permute(const PermuteLoop& loop, int64_t width, const void* x, void* y) noexcept {
  if (width == 8) return permute_words(loop, static_cast<const uint64_t*>(x), static_cast<uint64_t*>(y));
  if (width == 4) return permute_words(loop, static_cast<const uint32_t*>(x), static_cast<uint32_t*>(y));
  permute_words(loop, static_cast<const uint16_t*>(x), static_cast<uint16_t*>(y));
}

void copy_rows(const void* x, int64_t x_stride, void* y, int64_t y_stride, int64_t rows, int64_t bytes) noexcept {
  const auto* from = static_cast<const char*>(x);
  auto* to = static_cast<char*>(y);
  parallel_for(rows, grain_for(bytes, kBytes), [=](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row)
      std::memcpy(to + row * y_stride, from + row * x_stride, static_cast<size_t>(bytes));
  });
}

void gather_rows(const void* table, const int32_t* indices, void* y, int64_t count, int64_t bytes) noexcept {
  const auto* from = static_cast<const char*>(table);
  auto* to = static_cast<char*>(y);
  parallel_for(count, grain_for(bytes, kBytes), [=](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i)
      std::memcpy(to + i * bytes, from + indices[i] * bytes, static_cast<size_t>(bytes));
  });
}

template <class T>
void scatter_add_rows(const T* dy, const int32_t* indices, T* table, int64_t count, int64_t table_rows,
                      int64_t n) noexcept {
  constexpr int64_t kPieces = 8;  // each adds to its range of table rows and reads all indices
  const int64_t grain = table_rows * n < 4096 ? table_rows : (table_rows + kPieces - 1) / kPieces;
  parallel_for(table_rows, grain, [=](int64_t first, int64_t last) {
    std::fill(table + first * n, table + last * n, T(0));
    for (int64_t i = 0; i < count; ++i) {
      if (indices[i] < first || indices[i] >= last) continue;
      const T* from = dy + i * n;
      T* to = table + indices[i] * n;
      for (int64_t k = 0; k < n; ++k) to[k] += from[k];
    }
  });
}

template void scatter_add_rows(const float*, const int32_t*, float*, int64_t, int64_t, int64_t) noexcept;
template void scatter_add_rows(const double*, const int32_t*, double*, int64_t, int64_t, int64_t) noexcept;

}  // namespace mixtape::kernels

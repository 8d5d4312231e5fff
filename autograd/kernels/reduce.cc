#include "autograd/kernels/reduce.h"

#include <algorithm>

#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/reduce.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

template <class T>
void sum_rows_of(const T* x, T* y, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row) {
    const T* from = x + row * n;
    y[row] = sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, from + i); });
  }
}

template <class T>
void add_to_of(const T* x, T* y, int64_t n) {
  for_lanes<T>(
      n, [=](auto d, int64_t i) HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, y + i); });
}

// Rows of n elements, stride apart, added up into y: four at a time, so that y is read and written once for them.
template <class T>
void sum_columns_of(const T* x, T* y, int64_t rows, int64_t stride, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = 0;
  int64_t row = 0;
  for (; row + 4 <= rows; row += 4) {
    const T *r0 = x + row * stride, *r1 = r0 + stride, *r2 = r1 + stride, *r3 = r2 + stride;
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto front = hn::Add(hn::LoadU(d, r0 + i), hn::LoadU(d, r1 + i));
      const auto back = hn::Add(hn::LoadU(d, r2 + i), hn::LoadU(d, r3 + i));
      hn::StoreU(hn::Add(hn::LoadU(d, y + i), hn::Add(front, back)), d, y + i);
    });
  }
  for (; row < rows; ++row) add_to_of(x + row * stride, y, n);
}

double squares_f32(const float* x, int64_t n) {
  return sum_lanes<double>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto v = hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, decltype(d)>(), x + i));
    return hn::Mul(v, v);
  });
}

double squares_f64(const double* x, int64_t n) {
  return sum_lanes<double>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, x + i);
    return hn::Mul(v, v);
  });
}

void sum_rows_f32(const float* x, float* y, int64_t rows, int64_t n) { sum_rows_of(x, y, rows, n); }
void sum_rows_f64(const double* x, double* y, int64_t rows, int64_t n) { sum_rows_of(x, y, rows, n); }
void sum_columns_f32(const float* x, float* y, int64_t rows, int64_t stride, int64_t n) {
  sum_columns_of(x, y, rows, stride, n);
}
void sum_columns_f64(const double* x, double* y, int64_t rows, int64_t stride, int64_t n) {
  sum_columns_of(x, y, rows, stride, n);
}
void add_to_f32(const float* x, float* y, int64_t n) { add_to_of(x, y, n); }
void add_to_f64(const double* x, double* y, int64_t n) { add_to_of(x, y, n); }

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(sum_rows_f32);
HWY_EXPORT(sum_rows_f64);
HWY_EXPORT(sum_columns_f32);
HWY_EXPORT(sum_columns_f64);
HWY_EXPORT(add_to_f32);
HWY_EXPORT(add_to_f64);
HWY_EXPORT(squares_f32);
HWY_EXPORT(squares_f64);

constexpr int64_t kGrain = 1 << 14;

// Wide rows are cut into blocks of columns. If those are few, rows are added up in pieces, and then the pieces' sums in
// the same way.
template <class T, class Columns>
void sum_columns_with(Columns columns, const T* x, T* y, int64_t outer, int64_t n, int64_t inner) noexcept {
  constexpr int64_t kWidth = 1024, kMost = 16;
  const int64_t blocks = (inner + kWidth - 1) / kWidth, width = std::min(inner, kWidth);
  const auto pieces_of = [](int64_t rows, int64_t height) {
    return std::max<int64_t>(1, (rows + height - 1) / height);
  };
  const auto add_up = [=](const T* from, T* to, int64_t rows, int64_t height) {
    const int64_t pieces = pieces_of(rows, height);
    parallel_for(outer * pieces * blocks, grain_for(height * width, kGrain), [=](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const int64_t column = i % blocks * kWidth, piece = i / blocks, row = piece % pieces * height;
        columns(from + (piece / pieces * rows + row) * inner + column, to + piece * inner + column,
                std::min(height, rows - row), inner, std::min(kWidth, inner - column));
      }
    });
  };
  const int64_t all = std::max<int64_t>(n, 1);
  const int64_t height = outer * blocks >= kMost ? all : std::max(grain_for(width, kGrain), (n + kMost - 1) / kMost);
  const int64_t pieces = pieces_of(n, height);
  if (pieces == 1) return add_up(x, y, n, all);
  T* sums = scratch<T>(Room::partial_sums, outer * pieces * inner);
  add_up(x, sums, n, height);
  add_up(sums, y, pieces, pieces);
}

template <class T, class Rows, class Columns>
void sum_with(Rows rows, Columns columns, const T* x, T* y, int64_t outer, int64_t n, int64_t inner) noexcept {
  if (inner == 1) {
    parallel_for(outer, grain_for(n, kGrain),
                 [=](int64_t first, int64_t last) { rows(x + first * n, y + first, last - first, n); });
    return;
  }
  sum_columns_with(columns, x, y, outer, n, inner);
}

template <class T>
void argmax_with(const T* x, int32_t* indices, int64_t outer, int64_t n, int64_t inner) noexcept {
  parallel_for(outer, grain_for(n * inner, kGrain), [=](int64_t first, int64_t last) {
    for (int64_t o = first; o < last; ++o) {
      for (int64_t i = 0; i < inner; ++i) {
        const T* from = x + o * n * inner + i;
        int64_t best = 0;
        for (int64_t k = 1; k < n && from[best * inner] == from[best * inner]; ++k) {
          if (!(from[k * inner] <= from[best * inner])) best = k;
        }
        indices[o * inner + i] = static_cast<int32_t>(best);
      }
    }
  });
}

template <class T, class Squares>
double squares_with(Squares squares, const T* x, int64_t n) noexcept {
  constexpr int64_t kPieces = 64;
  double parts[kPieces] = {};
  const int64_t grain = std::max(kGrain, n / kPieces + 1);
  parallel_for(n, grain, [&](int64_t first, int64_t last) { parts[first / grain] = squares(x + first, last - first); });
  double total = 0;
  for (double part : parts) total += part;
  return total;
}

}  // namespace

void sum(const float* x, float* y, int64_t outer, int64_t n, int64_t inner) noexcept {
  sum_with(HWY_DYNAMIC_DISPATCH(sum_rows_f32), HWY_DYNAMIC_DISPATCH(sum_columns_f32), x, y, outer, n, inner);
}
void sum(const double* x, double* y, int64_t outer, int64_t n, int64_t inner) noexcept {
  sum_with(HWY_DYNAMIC_DISPATCH(sum_rows_f64), HWY_DYNAMIC_DISPATCH(sum_columns_f64), x, y, outer, n, inner);
}

void argmax(const float* x, int32_t* indices, int64_t outer, int64_t n, int64_t inner) noexcept {
  argmax_with(x, indices, outer, n, inner);
}
void argmax(const double* x, int32_t* indices, int64_t outer, int64_t n, int64_t inner) noexcept {
  argmax_with(x, indices, outer, n, inner);
}

double sum_of_squares(const float* x, int64_t n) noexcept {
  return squares_with(HWY_DYNAMIC_DISPATCH(squares_f32), x, n);
}
double sum_of_squares(const double* x, int64_t n) noexcept {
  return squares_with(HWY_DYNAMIC_DISPATCH(squares_f64), x, n);
}

void add_to(const float* x, float* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(add_to_f32);
  parallel_for(n, kGrain, [=](int64_t first, int64_t last) { run(x + first, y + first, last - first); });
}
void add_to(const double* x, double* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(add_to_f64);
  parallel_for(n, kGrain, [=](int64_t first, int64_t last) { run(x + first, y + first, last - first); });
}

}  // namespace mixtape::kernels
#endif

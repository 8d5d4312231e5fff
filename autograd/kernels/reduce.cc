#include "autograd/kernels/reduce.h"

#include <algorithm>

#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/workspace.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/reduce.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

template <class T>
void sum_rows(const T* x, T* y, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row) {
    const T* from = x + row * n;
    y[row] = sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, from + i); });
  }
}

template <class T>
void add_run(const T* x, T* y, int64_t n) {
  for_lanes<T>(
      n, [=](auto d, int64_t i) HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, y + i); });
}

// y = the sum of rows of n elements, stride apart; four rows at a time, so that y is read and written once for them.
template <class T>
void sum_column_block(const T* x, T* y, int64_t rows, int64_t stride, int64_t n) {
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
  for (; row < rows; ++row) add_run(x + row * stride, y, n);
}

template <class T>
double squares(const T* x, int64_t n) {
  return sum_lanes<double>(n, [=](auto d, int64_t i) HWY_ATTR {
    auto v = hn::Zero(d);
    if constexpr (sizeof(T) == sizeof(double)) {
      v = hn::LoadU(d, x + i);
    } else {
      v = hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, decltype(d)>(), x + i));
    }
    return hn::Mul(v, v);
  });
}

}  // namespace
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

constexpr int64_t kGrain = 1 << 14;

// Cut into blocks of columns; if those are few, into pieces of rows, too, whose sums are added in the same way.
template <class T>
void sum_columns(const T* x, T* y, int64_t outer, int64_t n, int64_t inner) noexcept {
  constexpr int64_t kWidth = 1024, kTasks = 16;
  const auto kernel = MIXTAPE_KERNEL(sum_column_block<T>);
  const int64_t blocks = (inner + kWidth - 1) / kWidth, width = std::min(inner, kWidth);
  const auto pieces_of = [](int64_t rows, int64_t height) {
    return std::max<int64_t>(1, (rows + height - 1) / height);
  };
  const auto sum_pieces = [=](const T* from, T* to, int64_t rows, int64_t height) {
    const int64_t pieces = pieces_of(rows, height);
    parallel_for(outer * pieces * blocks, grain_for(height * width, kGrain), [=](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const int64_t column = i % blocks * kWidth, piece = i / blocks, row = piece % pieces * height;
        kernel(from + (piece / pieces * rows + row) * inner + column, to + piece * inner + column,
               std::min(height, rows - row), inner, std::min(kWidth, inner - column));
      }
    });
  };
  const int64_t all = std::max<int64_t>(n, 1);
  const int64_t height = outer * blocks >= kTasks ? all : std::max(grain_for(width, kGrain), (n + kTasks - 1) / kTasks);
  const int64_t pieces = pieces_of(n, height);
  if (pieces == 1) return sum_pieces(x, y, n, all);
  T* sums = workspace<T>(Workspace::partial_sums, outer * pieces * inner);
  sum_pieces(x, sums, n, height);
  sum_pieces(sums, y, pieces, pieces);
}

}  // namespace

template <class T>
void sum(const T* x, T* y, int64_t outer, int64_t n, int64_t inner) noexcept {
  if (inner != 1) return sum_columns(x, y, outer, n, inner);
  const auto kernel = MIXTAPE_KERNEL(sum_rows<T>);
  parallel_for(outer, grain_for(n, kGrain), [=](int64_t i, int64_t end) { kernel(x + i * n, y + i, end - i, n); });
}

template <class T>
void argmax(const T* x, int32_t* indices, int64_t outer, int64_t n, int64_t inner) noexcept {
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

template <class T>
double sum_of_squares(const T* x, int64_t n) noexcept {
  constexpr int64_t kPieces = 64;
  const auto kernel = MIXTAPE_KERNEL(squares<T>);
  double parts[kPieces] = {};
  const int64_t grain = std::max(kGrain, n / kPieces + 1);
  parallel_for(n, grain, [&](int64_t i, int64_t end) { parts[i / grain] = kernel(x + i, end - i); });
  double total = 0;
  for (double part : parts) total += part;
  return total;
}

template <class T>
void add_to(const T* x, T* y, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(add_run<T>);
  parallel_for(n, kGrain, [=](int64_t i, int64_t end) { kernel(x + i, y + i, end - i); });
}

template void sum(const float*, float*, int64_t, int64_t, int64_t) noexcept;
template void sum(const double*, double*, int64_t, int64_t, int64_t) noexcept;
template void argmax(const float*, int32_t*, int64_t, int64_t, int64_t) noexcept;
template void argmax(const double*, int32_t*, int64_t, int64_t, int64_t) noexcept;
template double sum_of_squares(const float*, int64_t) noexcept;
template double sum_of_squares(const double*, int64_t) noexcept;
template void add_to(const float*, float*, int64_t) noexcept;
template void add_to(const double*, double*, int64_t) noexcept;

}  // namespace mixtape::kernels
#endif

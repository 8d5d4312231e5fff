#include "autograd/kernels/batch_norm.h"

#include <algorithm>

#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/reduce.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/batch_norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

// total = sum_r x.
template <class T>
void column_sums(const T* x, T* total, int64_t rows, int64_t n) {
  std::fill_n(total, n, T(0));
  for (int64_t row = 0; row < rows; ++row, x += n) {
    for_lanes<T>(n, [=](auto d, int64_t i)
                        HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(d, total + i), hn::LoadU(d, x + i)), d, total + i); });
  }
}

// total = sum_r (x - mean)^2.
template <class T>
void column_squares(const T* x, const T* mean, T* total, int64_t rows, int64_t n) {
  std::fill_n(total, n, T(0));
  for (int64_t row = 0; row < rows; ++row, x += n) {
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto c = hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, mean + i));
      hn::StoreU(hn::MulAdd(c, c, hn::LoadU(d, total + i)), d, total + i);
    });
  }
}

// The sums of squares become variances, and rstd = 1 / sqrt(variance + epsilon).
template <class T>
void finish_statistics(T epsilon, T* statistics, int64_t rows, int64_t n) {
  T *variance = statistics + n, *rstd = variance + n;
  const T per_row = T(1) / static_cast<T>(rows);
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto v = hn::Mul(hn::LoadU(d, variance + i), hn::Set(d, per_row));
    hn::StoreU(v, d, variance + i);
    hn::StoreU(hn::Div(hn::Set(d, T(1)), hn::Sqrt(hn::Add(v, hn::Set(d, epsilon)))), d, rstd + i);
  });
}

template <class T>
void normalize_columns(const T* x, const T* gamma, const T* beta, const T* statistics, T* y, int64_t rows, int64_t n) {
  const T *mean = statistics, *rstd = statistics + 2 * n;
  for (int64_t row = 0; row < rows; ++row, x += n, y += n) {
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto h = hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, mean + i)), hn::LoadU(d, rstd + i));
      hn::StoreU(hn::MulAdd(h, hn::LoadU(d, gamma + i), hn::LoadU(d, beta + i)), d, y + i);
    });
  }
}

template <class T>
void grad_sums(const T* x, const T* statistics, const T* dy, T* dgamma, T* dbeta, int64_t rows, int64_t n) {
  const T *mean = statistics, *rstd = statistics + 2 * n;
  std::fill_n(dgamma, n, T(0));
  std::fill_n(dbeta, n, T(0));
  for (int64_t row = 0; row < rows; ++row, x += n, dy += n) {
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto h = hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, mean + i)), hn::LoadU(d, rstd + i));
      const auto grad = hn::LoadU(d, dy + i);
      hn::StoreU(hn::MulAdd(grad, h, hn::LoadU(d, dgamma + i)), d, dgamma + i);
      hn::StoreU(hn::Add(grad, hn::LoadU(d, dbeta + i)), d, dbeta + i);
    });
  }
}

template <class T>
void batch_norm_grad_rows(const T* x, const T* gamma, const T* statistics, const T* dy, const T* dgamma, const T* dbeta,
                          T per_row, T* dx, int64_t rows, int64_t n) {
  const T *mean = statistics, *rstd = statistics + 2 * n;
  for (int64_t row = 0; row < rows; ++row, x += n, dy += n, dx += n) {
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto r = hn::LoadU(d, rstd + i), share = hn::Set(d, per_row);
      const auto h = hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, mean + i)), r);
      const auto common = hn::MulAdd(h, hn::LoadU(d, dgamma + i), hn::LoadU(d, dbeta + i));
      const auto centred = hn::NegMulAdd(common, share, hn::LoadU(d, dy + i));
      hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, gamma + i), r), centred), d, dx + i);
    });
  }
}

}  // namespace
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

constexpr int64_t kGrain = 1 << 14;                // elements
constexpr int64_t kMaxPieces = 64, kMinRows = 16;  // of the sums over rows

int64_t rows_per_piece(int64_t rows) { return std::max(kMinRows, (rows + kMaxPieces - 1) / kMaxPieces); }

// total = the sum over pieces of rows of what f(first row, rows, total of the piece) gives.
template <class T, class F>
void sum_pieces(const F& f, T* partial, T* total, int64_t rows, int64_t n) noexcept {
  const int64_t grain = rows_per_piece(rows);
  parallel_for(rows, grain, [&](int64_t i, int64_t end) { f(i, end - i, partial + i / grain * n); });
  sum(partial, total, 1, batch_norm_pieces(rows), n);
}

}  // namespace

int64_t batch_norm_pieces(int64_t rows) { return (rows + rows_per_piece(rows) - 1) / rows_per_piece(rows); }

template <class T>
void batch_norm(const T* x, const T* gamma, const T* beta, double epsilon, T* y, T* statistics, T* partial,
                int64_t rows, int64_t n) noexcept {
  const auto sums = MIXTAPE_KERNEL(column_sums<T>);
  const auto squares = MIXTAPE_KERNEL(column_squares<T>);
  const auto normalize = MIXTAPE_KERNEL(normalize_columns<T>);
  T *mean = statistics, *variance = statistics + n;
  sum_pieces([=](int64_t i, int64_t count, T* total) { sums(x + i * n, total, count, n); }, partial, mean, rows, n);
  for (int64_t i = 0; i < n; ++i) mean[i] /= static_cast<T>(rows);
  sum_pieces([=](int64_t i, int64_t count, T* total) { squares(x + i * n, mean, total, count, n); }, partial, variance,
             rows, n);
  MIXTAPE_KERNEL(finish_statistics<T>)(static_cast<T>(epsilon), statistics, rows, n);
  parallel_for(rows, grain_for(n, kGrain),
               [=](int64_t i, int64_t end) { normalize(x + i * n, gamma, beta, statistics, y + i * n, end - i, n); });
}

template <class T>
void batch_norm_grad(const T* x, const T* gamma, const T* statistics, const T* dy, T* dx, T* dgamma, T* dbeta,
                     T* partial, int64_t rows, int64_t n) noexcept {
  const auto sums = MIXTAPE_KERNEL(grad_sums<T>);
  const auto grad = MIXTAPE_KERNEL(batch_norm_grad_rows<T>);
  const int64_t pieces = batch_norm_pieces(rows);
  sum_pieces([=](int64_t i, int64_t count,
                 T* total) { sums(x + i * n, statistics, dy + i * n, total, total + pieces * n, count, n); },
             partial, dgamma, rows, n);
  sum(partial + pieces * n, dbeta, 1, pieces, n);
  const T per_row = T(1) / static_cast<T>(rows);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t end) {
    grad(x + i * n, gamma, statistics, dy + i * n, dgamma, dbeta, per_row, dx + i * n, end - i, n);
  });
}

template void batch_norm(const float*, const float*, const float*, double, float*, float*, float*, int64_t,
                         int64_t) noexcept;
template void batch_norm(const double*, const double*, const double*, double, double*, double*, double*, int64_t,
                         int64_t) noexcept;
template void batch_norm_grad(const float*, const float*, const float*, const float*, float*, float*, float*, float*,
                              int64_t, int64_t) noexcept;
template void batch_norm_grad(const double*, const double*, const double*, const double*, double*, double*, double*,
                              double*, int64_t, int64_t) noexcept;

}  // namespace mixtape::kernels
#endif

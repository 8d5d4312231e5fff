#include "autograd/kernels/batch_norm.h"

#include <algorithm>

#include "autograd/kernels/parallel.h"
#include "autograd/kernels/reduce.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/batch_norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

// total = sum of x by columns.
template <class T>
void sums_of(const T* x, T* total, int64_t rows, int64_t n) {
  std::fill_n(total, n, T(0));
  for (int64_t row = 0; row < rows; ++row, x += n) {
    for_lanes<T>(n, [=](auto d, int64_t i)
                        HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(d, total + i), hn::LoadU(d, x + i)), d, total + i); });
  }
}

// total = sum of (x - mean)^2 by columns.
template <class T>
void squares_of(const T* x, const T* mean, T* total, int64_t rows, int64_t n) {
  std::fill_n(total, n, T(0));
  for (int64_t row = 0; row < rows; ++row, x += n) {
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto c = hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, mean + i));
      hn::StoreU(hn::MulAdd(c, c, hn::LoadU(d, total + i)), d, total + i);
    });
  }
}

// The sums become means and variances, and what they give.
template <class T>
void finish_of(T epsilon, T* statistics, int64_t rows, int64_t n) {
  T *variance = statistics + n, *rstd = variance + n;
  const T per_row = T(1) / static_cast<T>(rows);
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto v = hn::Mul(hn::LoadU(d, variance + i), hn::Set(d, per_row));
    hn::StoreU(v, d, variance + i);
    hn::StoreU(hn::Div(hn::Set(d, T(1)), hn::Sqrt(hn::Add(v, hn::Set(d, epsilon)))), d, rstd + i);
  });
}

template <class T>
void normalise_of(const T* x, const T* gamma, const T* beta, const T* statistics, T* y, int64_t rows, int64_t n) {
  const T *mean = statistics, *rstd = statistics + 2 * n;
  for (int64_t row = 0; row < rows; ++row, x += n, y += n) {
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto h = hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, mean + i)), hn::LoadU(d, rstd + i));
      hn::StoreU(hn::MulAdd(h, hn::LoadU(d, gamma + i), hn::LoadU(d, beta + i)), d, y + i);
    });
  }
}

template <class T>
void grad_sums_of(const T* x, const T* statistics, const T* dy, T* dgamma, T* dbeta, int64_t rows, int64_t n) {
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
void grad_of(const T* x, const T* gamma, const T* statistics, const T* dy, const T* dgamma, const T* dbeta, T per_row,
             T* dx, int64_t rows, int64_t n) {
  const T *mean = statistics, *rstd = statistics + 2 * n;
  for (int64_t row = 0; row < rows; ++row, x += n, dy += n, dx += n) {
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto r = hn::LoadU(d, rstd + i), share = hn::Set(d, per_row);
      const auto h = hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, mean + i)), r);
      const auto common = hn::MulAdd(h, hn::LoadU(d, dgamma + i), hn::LoadU(d, dbeta + i));
      const auto own = hn::NegMulAdd(common, share, hn::LoadU(d, dy + i));
      hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, gamma + i), r), own), d, dx + i);
    });
  }
}

void sums_f32(const float* x, float* total, int64_t rows, int64_t n) { sums_of(x, total, rows, n); }
void sums_f64(const double* x, double* total, int64_t rows, int64_t n) { sums_of(x, total, rows, n); }
void squares_f32(const float* x, const float* mean, float* total, int64_t rows, int64_t n) {
  squares_of(x, mean, total, rows, n);
}
void squares_f64(const double* x, const double* mean, double* total, int64_t rows, int64_t n) {
  squares_of(x, mean, total, rows, n);
}
void finish_f32(float epsilon, float* statistics, int64_t rows, int64_t n) { finish_of(epsilon, statistics, rows, n); }
void finish_f64(double epsilon, double* statistics, int64_t rows, int64_t n) {
  finish_of(epsilon, statistics, rows, n);
}
void normalise_f32(const float* x, const float* gamma, const float* beta, const float* statistics, float* y,
                   int64_t rows, int64_t n) {
  normalise_of(x, gamma, beta, statistics, y, rows, n);
}
void normalise_f64(const double* x, const double* gamma, const double* beta, const double* statistics, double* y,
                   int64_t rows, int64_t n) {
  normalise_of(x, gamma, beta, statistics, y, rows, n);
}
void grad_sums_f32(const float* x, const float* statistics, const float* dy, float* dgamma, float* dbeta, int64_t rows,
                   int64_t n) {
  grad_sums_of(x, statistics, dy, dgamma, dbeta, rows, n);
}
void grad_sums_f64(const double* x, const double* statistics, const double* dy, double* dgamma, double* dbeta,
                   int64_t rows, int64_t n) {
  grad_sums_of(x, statistics, dy, dgamma, dbeta, rows, n);
}
void grad_f32(const float* x, const float* gamma, const float* statistics, const float* dy, const float* dgamma,
              const float* dbeta, float per_row, float* dx, int64_t rows, int64_t n) {
  grad_of(x, gamma, statistics, dy, dgamma, dbeta, per_row, dx, rows, n);
}
void grad_f64(const double* x, const double* gamma, const double* statistics, const double* dy, const double* dgamma,
              const double* dbeta, double per_row, double* dx, int64_t rows, int64_t n) {
  grad_of(x, gamma, statistics, dy, dgamma, dbeta, per_row, dx, rows, n);
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(sums_f32);
HWY_EXPORT(sums_f64);
HWY_EXPORT(squares_f32);
HWY_EXPORT(squares_f64);
HWY_EXPORT(finish_f32);
HWY_EXPORT(finish_f64);
HWY_EXPORT(normalise_f32);
HWY_EXPORT(normalise_f64);
HWY_EXPORT(grad_sums_f32);
HWY_EXPORT(grad_sums_f64);
HWY_EXPORT(grad_f32);
HWY_EXPORT(grad_f64);

constexpr int64_t kMostPieces = 64;
constexpr int64_t kLeastRows = 16;  // of a piece
constexpr int64_t kWork = 1 << 14;  // elements

int64_t rows_per_piece(int64_t rows) { return std::max(kLeastRows, (rows + kMostPieces - 1) / kMostPieces); }

// total = the sum over pieces of rows of what run(first row, rows, total of the piece) gives.
template <class T, class Run>
void add_pieces(const Run& run, T* partial, T* total, int64_t rows, int64_t n) noexcept {
  const int64_t grain = rows_per_piece(rows);
  parallel_for(rows, grain,
               [&](int64_t first, int64_t last) { run(first, last - first, partial + first / grain * n); });
  sum(partial, total, 1, batch_norm_pieces(rows), n);
}

template <class T, class Sums, class Squares, class Finish, class Normalise>
void batch_norm_with(Sums sums, Squares squares, Finish finish, Normalise normalise, const T* x, const T* gamma,
                     const T* beta, T epsilon, T* y, T* statistics, T* partial, int64_t rows, int64_t n) noexcept {
  T *mean = statistics, *variance = statistics + n;
  add_pieces([=](int64_t first, int64_t count, T* total) { sums(x + first * n, total, count, n); }, partial, mean, rows,
             n);
  for (int64_t i = 0; i < n; ++i) mean[i] /= static_cast<T>(rows);
  add_pieces([=](int64_t first, int64_t count, T* total) { squares(x + first * n, mean, total, count, n); }, partial,
             variance, rows, n);
  finish(epsilon, statistics, rows, n);
  parallel_for(rows, grain_for(n, kWork), [=](int64_t first, int64_t last) {
    normalise(x + first * n, gamma, beta, statistics, y + first * n, last - first, n);
  });
}

template <class T, class Sums, class Grad>
void batch_norm_grad_with(Sums sums, Grad grad, const T* x, const T* gamma, const T* statistics, const T* dy, T* dx,
                          T* dgamma, T* dbeta, T* partial, int64_t rows, int64_t n) noexcept {
  const int64_t pieces = batch_norm_pieces(rows);
  T* partial_beta = partial + pieces * n;
  add_pieces([=](int64_t first, int64_t count,
                 T* total) { sums(x + first * n, statistics, dy + first * n, total, total + pieces * n, count, n); },
             partial, dgamma, rows, n);
  sum(partial_beta, dbeta, 1, pieces, n);
  const T per_row = T(1) / static_cast<T>(rows);
  parallel_for(rows, grain_for(n, kWork), [=](int64_t first, int64_t last) {
    grad(x + first * n, gamma, statistics, dy + first * n, dgamma, dbeta, per_row, dx + first * n, last - first, n);
  });
}

}  // namespace

int64_t batch_norm_pieces(int64_t rows) { return (rows + rows_per_piece(rows) - 1) / rows_per_piece(rows); }

void batch_norm(const float* x, const float* gamma, const float* beta, double epsilon, float* y, float* statistics,
                float* partial, int64_t rows, int64_t n) noexcept {
  batch_norm_with(HWY_DYNAMIC_DISPATCH(sums_f32), HWY_DYNAMIC_DISPATCH(squares_f32), HWY_DYNAMIC_DISPATCH(finish_f32),
                  HWY_DYNAMIC_DISPATCH(normalise_f32), x, gamma, beta, static_cast<float>(epsilon), y, statistics,
                  partial, rows, n);
}
void batch_norm(const double* x, const double* gamma, const double* beta, double epsilon, double* y, double* statistics,
                double* partial, int64_t rows, int64_t n) noexcept {
  batch_norm_with(HWY_DYNAMIC_DISPATCH(sums_f64), HWY_DYNAMIC_DISPATCH(squares_f64), HWY_DYNAMIC_DISPATCH(finish_f64),
                  HWY_DYNAMIC_DISPATCH(normalise_f64), x, gamma, beta, epsilon, y, statistics, partial, rows, n);
}
void batch_norm_grad(const float* x, const float* gamma, const float* statistics, const float* dy, float* dx,
                     float* dgamma, float* dbeta, float* partial, int64_t rows, int64_t n) noexcept {
  batch_norm_grad_with(HWY_DYNAMIC_DISPATCH(grad_sums_f32), HWY_DYNAMIC_DISPATCH(grad_f32), x, gamma, statistics, dy,
                       dx, dgamma, dbeta, partial, rows, n);
}
void batch_norm_grad(const double* x, const double* gamma, const double* statistics, const double* dy, double* dx,
                     double* dgamma, double* dbeta, double* partial, int64_t rows, int64_t n) noexcept {
  batch_norm_grad_with(HWY_DYNAMIC_DISPATCH(grad_sums_f64), HWY_DYNAMIC_DISPATCH(grad_f64), x, gamma, statistics, dy,
                       dx, dgamma, dbeta, partial, rows, n);
}

}  // namespace mixtape::kernels
#endif

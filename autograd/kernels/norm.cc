#include "autograd/kernels/norm.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels/parallel.h"
#include "autograd/kernels/reduce.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

template <class T>
void normalize(const T* x, const T* gamma, const T* beta, const T* statistics, T* y, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row, x += n, y += n, statistics += 2) {
    const T mean = statistics[0], rstd = statistics[1];
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto h = hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean)), hn::Set(d, rstd));
      hn::StoreU(hn::MulAdd(h, hn::LoadU(d, gamma + i), hn::LoadU(d, beta + i)), d, y + i);
    });
  }
}

template <class T>
void layer_norm_of(const T* x, const T* gamma, const T* beta, T epsilon, T* y, T* statistics, int64_t rows, int64_t n) {
  const T per_n = T(1) / static_cast<T>(n);
  for (int64_t row = 0; row < rows; ++row, x += n, y += n, statistics += 2) {
    const T mean = per_n * sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, x + i); });
    const T variance = per_n * sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
                         const auto c = hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean));
                         return hn::Mul(c, c);
                       });
    statistics[0] = mean;
    statistics[1] = T(1) / std::sqrt(variance + epsilon);
    normalize(x, gamma, beta, statistics, y, 1, n);
  }
}

template <class T>
void layer_norm_grad_of(const T* x, const T* gamma, const T* statistics, const T* dy, bool adds, T* dx, T* dgamma,
                        T* dbeta, int64_t rows, int64_t n) {
  const T per_n = T(1) / static_cast<T>(n);
  for (int64_t i = 0; i < n; ++i) dgamma[i] = dbeta[i] = 0;
  for (int64_t row = 0; row < rows; ++row, x += n, dy += n, dx += n, statistics += 2) {
    const T mean = statistics[0], rstd = statistics[1];
    const auto normalised = [=](auto d, int64_t i) HWY_ATTR {
      return hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean)), hn::Set(d, rstd));
    };
    const T g_mean = per_n * sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
                       return hn::Mul(hn::LoadU(d, dy + i), hn::LoadU(d, gamma + i));
                     });
    const T gh_mean = per_n * sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
                        return hn::Mul(hn::Mul(hn::LoadU(d, dy + i), hn::LoadU(d, gamma + i)), normalised(d, i));
                      });
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto h = normalised(d, i), grad = hn::LoadU(d, dy + i);
      const auto g = hn::Mul(grad, hn::LoadU(d, gamma + i));
      hn::StoreU(hn::MulAdd(grad, h, hn::LoadU(d, dgamma + i)), d, dgamma + i);
      hn::StoreU(hn::Add(grad, hn::LoadU(d, dbeta + i)), d, dbeta + i);
      const auto centred = hn::NegMulAdd(h, hn::Set(d, gh_mean), hn::Sub(g, hn::Set(d, g_mean)));
      const auto before = adds ? hn::LoadU(d, dx + i) : hn::Zero(d);
      hn::StoreU(hn::MulAdd(centred, hn::Set(d, rstd), before), d, dx + i);
    });
  }
}

void layer_norm_f32(const float* x, const float* gamma, const float* beta, float epsilon, float* y, float* statistics,
                    int64_t rows, int64_t n) {
  layer_norm_of(x, gamma, beta, epsilon, y, statistics, rows, n);
}
void layer_norm_f64(const double* x, const double* gamma, const double* beta, double epsilon, double* y,
                    double* statistics, int64_t rows, int64_t n) {
  layer_norm_of(x, gamma, beta, epsilon, y, statistics, rows, n);
}
void normalize_f32(const float* x, const float* gamma, const float* beta, const float* statistics, float* y,
                   int64_t rows, int64_t n) {
  normalize(x, gamma, beta, statistics, y, rows, n);
}
void normalize_f64(const double* x, const double* gamma, const double* beta, const double* statistics, double* y,
                   int64_t rows, int64_t n) {
  normalize(x, gamma, beta, statistics, y, rows, n);
}
void layer_norm_grad_f32(const float* x, const float* gamma, const float* statistics, const float* dy, bool adds,
                         float* dx, float* dgamma, float* dbeta, int64_t rows, int64_t n) {
  layer_norm_grad_of(x, gamma, statistics, dy, adds, dx, dgamma, dbeta, rows, n);
}
void layer_norm_grad_f64(const double* x, const double* gamma, const double* statistics, const double* dy, bool adds,
                         double* dx, double* dgamma, double* dbeta, int64_t rows, int64_t n) {
  layer_norm_grad_of(x, gamma, statistics, dy, adds, dx, dgamma, dbeta, rows, n);
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(layer_norm_f32);
HWY_EXPORT(layer_norm_f64);
HWY_EXPORT(normalize_f32);
HWY_EXPORT(normalize_f64);
HWY_EXPORT(layer_norm_grad_f32);
HWY_EXPORT(layer_norm_grad_f64);

constexpr int64_t kMostPieces = 16;
constexpr int64_t kLeastRows = 16;  // of a piece

int64_t rows_per_piece(int64_t rows) { return std::max(kLeastRows, (rows + kMostPieces - 1) / kMostPieces); }

template <class T, class Run>
void layer_norm_with(Run run, const T* x, const T* gamma, const T* beta, T epsilon, T* y, T* statistics, int64_t rows,
                     int64_t n) noexcept {
  parallel_for(rows, grain_for(n, 1 << 14), [=](int64_t first, int64_t last) {
    run(x + first * n, gamma, beta, epsilon, y + first * n, statistics + 2 * first, last - first, n);
  });
}

template <class T, class Run>
void normalize_with(Run run, const T* x, const T* gamma, const T* beta, const T* statistics, T* y, int64_t rows,
                    int64_t n) noexcept {
  parallel_for(rows, grain_for(n, 1 << 14), [=](int64_t first, int64_t last) {
    run(x + first * n, gamma, beta, statistics + 2 * first, y + first * n, last - first, n);
  });
}

template <class T, class Run>
void layer_norm_grad_with(Run run, const T* x, const T* gamma, const T* statistics, const T* dy, bool adds, T* dx,
                          T* dgamma, T* dbeta, T* partial, int64_t rows, int64_t n) noexcept {
  const int64_t pieces = layer_norm_pieces(rows), grain = rows_per_piece(rows);
  T* partial_beta = partial + pieces * n;
  parallel_for(rows, grain, [=](int64_t first, int64_t last) {
    const int64_t piece = first / grain;
    run(x + first * n, gamma, statistics + 2 * first, dy + first * n, adds, dx + first * n, partial + piece * n,
        partial_beta + piece * n, last - first, n);
  });
  sum(partial, dgamma, 1, pieces, n);
  sum(partial_beta, dbeta, 1, pieces, n);
}

}  // namespace

int64_t layer_norm_pieces(int64_t rows) { return (rows + rows_per_piece(rows) - 1) / rows_per_piece(rows); }

void layer_norm(const float* x, const float* gamma, const float* beta, double epsilon, float* y, float* statistics,
                int64_t rows, int64_t n) noexcept {
  layer_norm_with(HWY_DYNAMIC_DISPATCH(layer_norm_f32), x, gamma, beta, static_cast<float>(epsilon), y, statistics,
                  rows, n);
}
void layer_norm(const double* x, const double* gamma, const double* beta, double epsilon, double* y, double* statistics,
                int64_t rows, int64_t n) noexcept {
  layer_norm_with(HWY_DYNAMIC_DISPATCH(layer_norm_f64), x, gamma, beta, epsilon, y, statistics, rows, n);
}
void layer_norm_again(const float* x, const float* gamma, const float* beta, const float* statistics, float* y,
                      int64_t rows, int64_t n) noexcept {
  normalize_with(HWY_DYNAMIC_DISPATCH(normalize_f32), x, gamma, beta, statistics, y, rows, n);
}
void layer_norm_again(const double* x, const double* gamma, const double* beta, const double* statistics, double* y,
                      int64_t rows, int64_t n) noexcept {
  normalize_with(HWY_DYNAMIC_DISPATCH(normalize_f64), x, gamma, beta, statistics, y, rows, n);
}
void layer_norm_grad(const float* x, const float* gamma, const float* statistics, const float* dy, bool adds, float* dx,
                     float* dgamma, float* dbeta, float* partial, int64_t rows, int64_t n) noexcept {
  layer_norm_grad_with(HWY_DYNAMIC_DISPATCH(layer_norm_grad_f32), x, gamma, statistics, dy, adds, dx, dgamma, dbeta,
                       partial, rows, n);
}
void layer_norm_grad(const double* x, const double* gamma, const double* statistics, const double* dy, bool adds,
                     double* dx, double* dgamma, double* dbeta, double* partial, int64_t rows, int64_t n) noexcept {
  layer_norm_grad_with(HWY_DYNAMIC_DISPATCH(layer_norm_grad_f64), x, gamma, statistics, dy, adds, dx, dgamma, dbeta,
                       partial, rows, n);
}

}  // namespace mixtape::kernels
#endif

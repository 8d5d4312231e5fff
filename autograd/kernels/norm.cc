#include "autograd/kernels/norm.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/reduce.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

template <class T>
void normalize_rows(const T* x, const T* gamma, const T* beta, const T* statistics, T* y, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row, x += n, y += n, statistics += 2) {
    const T mean = statistics[0], rstd = statistics[1];
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto h = hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean)), hn::Set(d, rstd));
      hn::StoreU(hn::MulAdd(h, hn::LoadU(d, gamma + i), hn::LoadU(d, beta + i)), d, y + i);
    });
  }
}

template <class T>
void layer_norm_rows(const T* x, const T* gamma, const T* beta, T epsilon, T* y, T* statistics, int64_t rows,
                     int64_t n) {
  const T per_n = T(1) / static_cast<T>(n);
  for (int64_t row = 0; row < rows; ++row, x += n, y += n, statistics += 2) {
    const T mean = per_n * sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, x + i); });
    const T variance = per_n * sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
                         const auto c = hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean));
                         return hn::Mul(c, c);
                       });
    statistics[0] = mean;
    statistics[1] = T(1) / std::sqrt(variance + epsilon);
    normalize_rows(x, gamma, beta, statistics, y, 1, n);
  }
}

template <class T>
void layer_norm_grad_rows(const T* x, const T* gamma, const T* statistics, const T* dy, bool adds, T* dx, T* dgamma,
                          T* dbeta, int64_t rows, int64_t n) {
  const T per_n = T(1) / static_cast<T>(n);
  for (int64_t i = 0; i < n; ++i) dgamma[i] = dbeta[i] = 0;
  for (int64_t row = 0; row < rows; ++row, x += n, dy += n, dx += n, statistics += 2) {
    const T mean = statistics[0], rstd = statistics[1];
    const auto normalized = [=](auto d, int64_t i) HWY_ATTR {
      return hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean)), hn::Set(d, rstd));
    };
    const T g_mean = per_n * sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
                       return hn::Mul(hn::LoadU(d, dy + i), hn::LoadU(d, gamma + i));
                     });
    const T gh_mean = per_n * sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
                        return hn::Mul(hn::Mul(hn::LoadU(d, dy + i), hn::LoadU(d, gamma + i)), normalized(d, i));
                      });
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto h = normalized(d, i), grad = hn::LoadU(d, dy + i);
      const auto g = hn::Mul(grad, hn::LoadU(d, gamma + i));
      hn::StoreU(hn::MulAdd(grad, h, hn::LoadU(d, dgamma + i)), d, dgamma + i);
      hn::StoreU(hn::Add(grad, hn::LoadU(d, dbeta + i)), d, dbeta + i);
      const auto centred = hn::NegMulAdd(h, hn::Set(d, gh_mean), hn::Sub(g, hn::Set(d, g_mean)));
      const auto before = adds ? hn::LoadU(d, dx + i) : hn::Zero(d);
      hn::StoreU(hn::MulAdd(centred, hn::Set(d, rstd), before), d, dx + i);
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
constexpr int64_t kMaxPieces = 16, kMinRows = 16;  // of the sums over rows

int64_t rows_per_piece(int64_t rows) { return std::max(kMinRows, (rows + kMaxPieces - 1) / kMaxPieces); }

}  // namespace

template <class T>
void layer_norm(const T* x, const T* gamma, const T* beta, double epsilon, T* y, T* statistics, int64_t rows,
                int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(layer_norm_rows<T>);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t end) {
    kernel(x + i * n, gamma, beta, static_cast<T>(epsilon), y + i * n, statistics + 2 * i, end - i, n);
  });
}

template <class T>
void layer_norm_recompute(const T* x, const T* gamma, const T* beta, const T* statistics, T* y, int64_t rows,
                          int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(normalize_rows<T>);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t end) {
    kernel(x + i * n, gamma, beta, statistics + 2 * i, y + i * n, end - i, n);
  });
}

template <class T>
void layer_norm_grad(const T* x, const T* gamma, const T* statistics, const T* dy, bool adds, T* dx, T* dgamma,
                     T* dbeta, T* partial, int64_t rows, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(layer_norm_grad_rows<T>);
  const int64_t pieces = layer_norm_pieces(rows), grain = rows_per_piece(rows);
  T* partial_beta = partial + pieces * n;
  parallel_for(rows, grain, [=](int64_t i, int64_t end) {
    const int64_t at = i / grain * n;
    kernel(x + i * n, gamma, statistics + 2 * i, dy + i * n, adds, dx + i * n, partial + at, partial_beta + at, end - i,
           n);
  });
  sum(partial, dgamma, 1, pieces, n);
  sum(partial_beta, dbeta, 1, pieces, n);
}

int64_t layer_norm_pieces(int64_t rows) { return (rows + rows_per_piece(rows) - 1) / rows_per_piece(rows); }

template void layer_norm(const float*, const float*, const float*, double, float*, float*, int64_t, int64_t) noexcept;
template void layer_norm(const double*, const double*, const double*, double, double*, double*, int64_t,
                         int64_t) noexcept;
template void layer_norm_recompute(const float*, const float*, const float*, const float*, float*, int64_t,
                                   int64_t) noexcept;
template void layer_norm_recompute(const double*, const double*, const double*, const double*, double*, int64_t,
                                   int64_t) noexcept;
template void layer_norm_grad(const float*, const float*, const float*, const float*, bool, float*, float*, float*,
                              float*, int64_t, int64_t) noexcept;
template void layer_norm_grad(const double*, const double*, const double*, const double*, bool, double*, double*,
                              double*, double*, int64_t, int64_t) noexcept;

}  // namespace mixtape::kernels
#endif

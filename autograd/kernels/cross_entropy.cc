#include "autograd/kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/cross_entropy.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/exp-inl.h"
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

template <class T>
void loss_rows(const T* x, const int32_t* targets, int32_t ignored, T smoothing, T* losses, T* log_sums, int64_t rows,
               int64_t n) {
  for (int64_t row = 0; row < rows; ++row, x += n) {
    losses[row] = log_sums[row] = 0;
    if (targets[row] == ignored) continue;
    const T m = max_lanes(n, x);
    const T sum = sum_lanes<T>(
        n, [=](auto d, int64_t i) HWY_ATTR { return exp_of(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, m))); });
    log_sums[row] = m + std::log(sum);
    losses[row] = (1 - smoothing) * (log_sums[row] - x[targets[row]]);
    if (smoothing == T(0)) continue;
    const T total = sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, x + i); });
    losses[row] += smoothing * (log_sums[row] - total / static_cast<T>(n));
  }
}

template <class T>
void grad_rows(const T* x, const int32_t* targets, int32_t ignored, T smoothing, const T* log_sums, T scale, T* dx,
               int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row, x += n, dx += n) {
    if (targets[row] == ignored) {
      std::fill_n(dx, n, T(0));
      continue;
    }
    const T log_sum = log_sums[row], flat = scale * smoothing / static_cast<T>(n);
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto p = exp_of(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, log_sum)));
      hn::StoreU(hn::MulSub(p, hn::Set(d, scale), hn::Set(d, flat)), d, dx + i);
    });
    dx[targets[row]] -= scale * (1 - smoothing);
  }
}

void loss_f32(const float* x, const int32_t* t, int32_t ignored, float s, float* losses, float* log_sums, int64_t rows,
              int64_t n) {
  loss_rows(x, t, ignored, s, losses, log_sums, rows, n);
}
void loss_f64(const double* x, const int32_t* t, int32_t ignored, double s, double* losses, double* log_sums,
              int64_t rows, int64_t n) {
  loss_rows(x, t, ignored, s, losses, log_sums, rows, n);
}
void grad_f32(const float* x, const int32_t* t, int32_t ignored, float s, const float* log_sums, float scale, float* dx,
              int64_t rows, int64_t n) {
  grad_rows(x, t, ignored, s, log_sums, scale, dx, rows, n);
}
void grad_f64(const double* x, const int32_t* t, int32_t ignored, double s, const double* log_sums, double scale,
              double* dx, int64_t rows, int64_t n) {
  grad_rows(x, t, ignored, s, log_sums, scale, dx, rows, n);
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(loss_f32);
HWY_EXPORT(loss_f64);
HWY_EXPORT(grad_f32);
HWY_EXPORT(grad_f64);

constexpr int64_t kGrain = 1 << 13;  // elements, each of which costs an exp

}  // namespace

void cross_entropy(const float* x, const int32_t* targets, int32_t ignored, double smoothing, float* losses,
                   float* log_sums, int64_t rows, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(loss_f32);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t last) {
    run(x + i * n, targets + i, ignored, static_cast<float>(smoothing), losses + i, log_sums + i, last - i, n);
  });
}
void cross_entropy(const double* x, const int32_t* targets, int32_t ignored, double smoothing, double* losses,
                   double* log_sums, int64_t rows, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(loss_f64);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t last) {
    run(x + i * n, targets + i, ignored, smoothing, losses + i, log_sums + i, last - i, n);
  });
}

void cross_entropy_grad(const float* x, const int32_t* targets, int32_t ignored, double smoothing,
                        const float* log_sums, double scale, float* dx, int64_t rows, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(grad_f32);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t last) {
    run(x + i * n, targets + i, ignored, static_cast<float>(smoothing), log_sums + i, static_cast<float>(scale),
        dx + i * n, last - i, n);
  });
}
void cross_entropy_grad(const double* x, const int32_t* targets, int32_t ignored, double smoothing,
                        const double* log_sums, double scale, double* dx, int64_t rows, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(grad_f64);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t last) {
    run(x + i * n, targets + i, ignored, smoothing, log_sums + i, scale, dx + i * n, last - i, n);
  });
}

}  // namespace mixtape::kernels
#endif

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
        n, [=](auto d, int64_t i) HWY_ATTR { return softmax_exp(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, m))); });
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
      const auto p = softmax_exp(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, log_sum)));
      hn::StoreU(hn::MulSub(p, hn::Set(d, scale), hn::Set(d, flat)), d, dx + i);
    });
    dx[targets[row]] -= scale * (1 - smoothing);
  }
}

template <class T>
void soft_loss_rows(const T* x, const T* targets, T smoothing, T* losses, T* log_sums, int64_t rows, int64_t n) {
  const T flat = smoothing / static_cast<T>(n);
  for (int64_t row = 0; row < rows; ++row, x += n, targets += n) {
    const T m = max_lanes(n, x);
    const T log_sum = m + std::log(sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
                        return softmax_exp(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, m)));
                      }));
    log_sums[row] = log_sum;
    losses[row] = sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto weight = hn::MulAdd(hn::LoadU(d, targets + i), hn::Set(d, 1 - smoothing), hn::Set(d, flat));
      const auto cost = hn::Mul(weight, hn::Sub(hn::Set(d, log_sum), hn::LoadU(d, x + i)));
      return hn::IfThenZeroElse(hn::Eq(weight, hn::Zero(d)), cost);
    });
  }
}

template <class T>
void soft_grad_rows(const T* x, const T* targets, T smoothing, const T* log_sums, T scale, T* dx, int64_t rows,
                    int64_t n) {
  const T share = scale * (1 - smoothing), flat = scale * smoothing / static_cast<T>(n);
  for (int64_t row = 0; row < rows; ++row, x += n, targets += n, dx += n) {
    const T log_sum = log_sums[row];
    const T total = share * sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, targets + i); }) +
                    scale * smoothing;
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto p = softmax_exp(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, log_sum)));
      const auto weight = hn::MulAdd(hn::LoadU(d, targets + i), hn::Set(d, share), hn::Set(d, flat));
      hn::StoreU(hn::MulSub(p, hn::Set(d, total), weight), d, dx + i);
    });
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
void soft_loss_f32(const float* x, const float* t, float s, float* losses, float* log_sums, int64_t rows, int64_t n) {
  soft_loss_rows(x, t, s, losses, log_sums, rows, n);
}
void soft_loss_f64(const double* x, const double* t, double s, double* losses, double* log_sums, int64_t rows,
                   int64_t n) {
  soft_loss_rows(x, t, s, losses, log_sums, rows, n);
}
void soft_grad_f32(const float* x, const float* t, float s, const float* log_sums, float scale, float* dx, int64_t rows,
                   int64_t n) {
  soft_grad_rows(x, t, s, log_sums, scale, dx, rows, n);
}
void soft_grad_f64(const double* x, const double* t, double s, const double* log_sums, double scale, double* dx,
                   int64_t rows, int64_t n) {
  soft_grad_rows(x, t, s, log_sums, scale, dx, rows, n);
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
HWY_EXPORT(soft_loss_f32);
HWY_EXPORT(soft_loss_f64);
HWY_EXPORT(soft_grad_f32);
HWY_EXPORT(soft_grad_f64);

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

void soft_cross_entropy(const float* x, const float* targets, double smoothing, float* losses, float* log_sums,
                        int64_t rows, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(soft_loss_f32);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t last) {
    run(x + i * n, targets + i * n, static_cast<float>(smoothing), losses + i, log_sums + i, last - i, n);
  });
}
void soft_cross_entropy(const double* x, const double* targets, double smoothing, double* losses, double* log_sums,
                        int64_t rows, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(soft_loss_f64);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t last) {
    run(x + i * n, targets + i * n, smoothing, losses + i, log_sums + i, last - i, n);
  });
}

void soft_cross_entropy_grad(const float* x, const float* targets, double smoothing, const float* log_sums,
                             double scale, float* dx, int64_t rows, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(soft_grad_f32);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t last) {
    run(x + i * n, targets + i * n, static_cast<float>(smoothing), log_sums + i, static_cast<float>(scale), dx + i * n,
        last - i, n);
  });
}
void soft_cross_entropy_grad(const double* x, const double* targets, double smoothing, const double* log_sums,
                             double scale, double* dx, int64_t rows, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(soft_grad_f64);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t last) {
    run(x + i * n, targets + i * n, smoothing, log_sums + i, scale, dx + i * n, last - i, n);
  });
}

}  // namespace mixtape::kernels
#endif

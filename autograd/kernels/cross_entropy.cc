#include "autograd/kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/cross_entropy.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/exp-inl.h"
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

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

}  // namespace
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

constexpr int64_t kGrain = 1 << 13;  // elements, each of which costs an exp

}  // namespace

template <class T>
void cross_entropy(const T* x, const int32_t* targets, int32_t ignored, double smoothing, T* losses, T* log_sums,
                   int64_t rows, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(loss_rows<T>);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t end) {
    kernel(x + i * n, targets + i, ignored, static_cast<T>(smoothing), losses + i, log_sums + i, end - i, n);
  });
}

template <class T>
void cross_entropy_grad(const T* x, const int32_t* targets, int32_t ignored, double smoothing, const T* log_sums,
                        double scale, T* dx, int64_t rows, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(grad_rows<T>);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t end) {
    kernel(x + i * n, targets + i, ignored, static_cast<T>(smoothing), log_sums + i, static_cast<T>(scale), dx + i * n,
           end - i, n);
  });
}

template <class T>
void soft_cross_entropy(const T* x, const T* targets, double smoothing, T* losses, T* log_sums, int64_t rows,
                        int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(soft_loss_rows<T>);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t end) {
    kernel(x + i * n, targets + i * n, static_cast<T>(smoothing), losses + i, log_sums + i, end - i, n);
  });
}

template <class T>
void soft_cross_entropy_grad(const T* x, const T* targets, double smoothing, const T* log_sums, double scale, T* dx,
                             int64_t rows, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(soft_grad_rows<T>);
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t end) {
    kernel(x + i * n, targets + i * n, static_cast<T>(smoothing), log_sums + i, static_cast<T>(scale), dx + i * n,
           end - i, n);
  });
}

template void cross_entropy(const float*, const int32_t*, int32_t, double, float*, float*, int64_t, int64_t) noexcept;
template void cross_entropy(const double*, const int32_t*, int32_t, double, double*, double*, int64_t,
                            int64_t) noexcept;
template void cross_entropy_grad(const float*, const int32_t*, int32_t, double, const float*, double, float*, int64_t,
                                 int64_t) noexcept;
template void cross_entropy_grad(const double*, const int32_t*, int32_t, double, const double*, double, double*,
                                 int64_t, int64_t) noexcept;
template void soft_cross_entropy(const float*, const float*, double, float*, float*, int64_t, int64_t) noexcept;
template void soft_cross_entropy(const double*, const double*, double, double*, double*, int64_t, int64_t) noexcept;
template void soft_cross_entropy_grad(const float*, const float*, double, const float*, double, float*, int64_t,
                                      int64_t) noexcept;
template void soft_cross_entropy_grad(const double*, const double*, double, const double*, double, double*, int64_t,
                                      int64_t) noexcept;

}  // namespace mixtape::kernels
#endif

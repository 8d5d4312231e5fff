#include "autograd/kernels/softmax.h"

#include <cmath>

#include "autograd/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/softmax.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/exp-inl.h"
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

template <class T>
void softmax_of(const T* x, T* y, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row, x += n, y += n) {
    const T m = max_lanes(n, x);
    const T sum = sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto e = softmax_exp(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, m)));
      hn::StoreU(e, d, y + i);
      return e;
    });
    const T scale = 1 / sum;
    for_lanes<T>(
        n, [=](auto d, int64_t i) HWY_ATTR { hn::StoreU(hn::Mul(hn::LoadU(d, y + i), hn::Set(d, scale)), d, y + i); });
  }
}

template <class T>
void softmax_grad_of(const T* y, const T* dy, T* dx, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row, y += n, dy += n, dx += n) {
    const T dot =
        sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR { return hn::Mul(hn::LoadU(d, dy + i), hn::LoadU(d, y + i)); });
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      hn::StoreU(hn::Mul(hn::LoadU(d, y + i), hn::Sub(hn::LoadU(d, dy + i), hn::Set(d, dot))), d, dx + i);
    });
  }
}

template <class T>
void log_softmax_of(const T* x, T* y, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row, x += n, y += n) {
    const T m = max_lanes(n, x);
    const T sum = sum_lanes<T>(
        n, [=](auto d, int64_t i) HWY_ATTR { return softmax_exp(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, m))); });
    const T shift = m + std::log(sum);
    for_lanes<T>(
        n, [=](auto d, int64_t i) HWY_ATTR { hn::StoreU(hn::Sub(hn::LoadU(d, x + i), hn::Set(d, shift)), d, y + i); });
  }
}

template <class T>
void log_softmax_grad_of(const T* y, const T* dy, T* dx, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row, y += n, dy += n, dx += n) {
    const T sum = sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, dy + i); });
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto p = softmax_exp(d, hn::LoadU(d, y + i));
      hn::StoreU(hn::NegMulAdd(p, hn::Set(d, sum), hn::LoadU(d, dy + i)), d, dx + i);
    });
  }
}

void softmax_f32(const float* x, float* y, int64_t rows, int64_t n) { softmax_of(x, y, rows, n); }
void softmax_f64(const double* x, double* y, int64_t rows, int64_t n) { softmax_of(x, y, rows, n); }
void softmax_grad_f32(const float* y, const float* dy, float* dx, int64_t rows, int64_t n) {
  softmax_grad_of(y, dy, dx, rows, n);
}
void softmax_grad_f64(const double* y, const double* dy, double* dx, int64_t rows, int64_t n) {
  softmax_grad_of(y, dy, dx, rows, n);
}
void log_softmax_f32(const float* x, float* y, int64_t rows, int64_t n) { log_softmax_of(x, y, rows, n); }
void log_softmax_f64(const double* x, double* y, int64_t rows, int64_t n) { log_softmax_of(x, y, rows, n); }
void log_softmax_grad_f32(const float* y, const float* dy, float* dx, int64_t rows, int64_t n) {
  log_softmax_grad_of(y, dy, dx, rows, n);
}
void log_softmax_grad_f64(const double* y, const double* dy, double* dx, int64_t rows, int64_t n) {
  log_softmax_grad_of(y, dy, dx, rows, n);
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(softmax_f32);
HWY_EXPORT(softmax_f64);
HWY_EXPORT(softmax_grad_f32);
HWY_EXPORT(softmax_grad_f64);
HWY_EXPORT(log_softmax_f32);
HWY_EXPORT(log_softmax_f64);
HWY_EXPORT(log_softmax_grad_f32);
HWY_EXPORT(log_softmax_grad_f64);

constexpr int64_t kGrain = 1 << 12;  // elements, each of which costs an exp

template <class T, class Run>
void by_rows(Run run, const T* x, T* y, int64_t rows, int64_t n) noexcept {
  if (n == 0) return;
  parallel_for(rows, grain_for(n, kGrain),
               [=](int64_t first, int64_t last) { run(x + first * n, y + first * n, last - first, n); });
}

template <class T, class Run>
void grad_by_rows(Run run, const T* y, const T* dy, T* dx, int64_t rows, int64_t n) noexcept {
  if (n == 0) return;
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t first, int64_t last) {
    run(y + first * n, dy + first * n, dx + first * n, last - first, n);
  });
}

}  // namespace

void softmax(const float* x, float* y, int64_t rows, int64_t n) noexcept {
  by_rows(HWY_DYNAMIC_DISPATCH(softmax_f32), x, y, rows, n);
}
void softmax(const double* x, double* y, int64_t rows, int64_t n) noexcept {
  by_rows(HWY_DYNAMIC_DISPATCH(softmax_f64), x, y, rows, n);
}
void softmax_grad(const float* y, const float* dy, float* dx, int64_t rows, int64_t n) noexcept {
  grad_by_rows(HWY_DYNAMIC_DISPATCH(softmax_grad_f32), y, dy, dx, rows, n);
}
void softmax_grad(const double* y, const double* dy, double* dx, int64_t rows, int64_t n) noexcept {
  grad_by_rows(HWY_DYNAMIC_DISPATCH(softmax_grad_f64), y, dy, dx, rows, n);
}

void log_softmax(const float* x, float* y, int64_t rows, int64_t n) noexcept {
  by_rows(HWY_DYNAMIC_DISPATCH(log_softmax_f32), x, y, rows, n);
}
void log_softmax(const double* x, double* y, int64_t rows, int64_t n) noexcept {
  by_rows(HWY_DYNAMIC_DISPATCH(log_softmax_f64), x, y, rows, n);
}
void log_softmax_grad(const float* y, const float* dy, float* dx, int64_t rows, int64_t n) noexcept {
  grad_by_rows(HWY_DYNAMIC_DISPATCH(log_softmax_grad_f32), y, dy, dx, rows, n);
}
void log_softmax_grad(const double* y, const double* dy, double* dx, int64_t rows, int64_t n) noexcept {
  grad_by_rows(HWY_DYNAMIC_DISPATCH(log_softmax_grad_f64), y, dy, dx, rows, n);
}

}  // namespace mixtape::kernels
#endif

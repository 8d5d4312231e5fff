#include "autograd/kernels/softmax.h"

#include <cmath>

#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/softmax.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/exp-inl.h"
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

template <class T>
void softmax_rows(const T* x, T* y, int64_t rows, int64_t n) {
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
void softmax_grad_rows(const T* y, const T* dy, T* dx, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row, y += n, dy += n, dx += n) {
    const T dot =
        sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR { return hn::Mul(hn::LoadU(d, dy + i), hn::LoadU(d, y + i)); });
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      hn::StoreU(hn::Mul(hn::LoadU(d, y + i), hn::Sub(hn::LoadU(d, dy + i), hn::Set(d, dot))), d, dx + i);
    });
  }
}

template <class T>
void log_softmax_rows(const T* x, T* y, int64_t rows, int64_t n) {
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
void log_softmax_grad_rows(const T* y, const T* dy, T* dx, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row, y += n, dy += n, dx += n) {
    const T sum = sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, dy + i); });
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      const auto p = softmax_exp(d, hn::LoadU(d, y + i));
      hn::StoreU(hn::NegMulAdd(p, hn::Set(d, sum), hn::LoadU(d, dy + i)), d, dx + i);
    });
  }
}

}  // namespace
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

constexpr int64_t kGrain = 1 << 12;  // elements, each of which costs an exp

// kernel(matrices.., rows, n), in pieces of rows.
template <class Kernel, class... Matrices>
void run(Kernel kernel, int64_t rows, int64_t n, Matrices... matrices) noexcept {
  if (n == 0) return;
  parallel_for(rows, grain_for(n, kGrain), [=](int64_t i, int64_t end) { kernel(matrices + i * n..., end - i, n); });
}

}  // namespace

template <class T>
void softmax(const T* x, T* y, int64_t rows, int64_t n) noexcept {
  run(MIXTAPE_KERNEL(softmax_rows<T>), rows, n, x, y);
}
template <class T>
void softmax_grad(const T* y, const T* dy, T* dx, int64_t rows, int64_t n) noexcept {
  run(MIXTAPE_KERNEL(softmax_grad_rows<T>), rows, n, y, dy, dx);
}
template <class T>
void log_softmax(const T* x, T* y, int64_t rows, int64_t n) noexcept {
  run(MIXTAPE_KERNEL(log_softmax_rows<T>), rows, n, x, y);
}
template <class T>
void log_softmax_grad(const T* y, const T* dy, T* dx, int64_t rows, int64_t n) noexcept {
  run(MIXTAPE_KERNEL(log_softmax_grad_rows<T>), rows, n, y, dy, dx);
}

template void softmax(const float*, float*, int64_t, int64_t) noexcept;
template void softmax(const double*, double*, int64_t, int64_t) noexcept;
template void softmax_grad(const float*, const float*, float*, int64_t, int64_t) noexcept;
template void softmax_grad(const double*, const double*, double*, int64_t, int64_t) noexcept;
template void log_softmax(const float*, float*, int64_t, int64_t) noexcept;
template void log_softmax(const double*, double*, int64_t, int64_t) noexcept;
template void log_softmax_grad(const float*, const float*, float*, int64_t, int64_t) noexcept;
template void log_softmax_grad(const double*, const double*, double*, int64_t, int64_t) noexcept;

}  // namespace mixtape::kernels
#endif

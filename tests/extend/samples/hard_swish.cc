#include "autograd/kernels/hard_swish.h"

#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/hard_swish.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

template <class T>
void hard_swish_of(const T* x, T* y, int64_t n) {
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, x + i);
    const auto gate = hn::Min(hn::Max(hn::Add(v, hn::Set(d, T(3))), hn::Zero(d)), hn::Set(d, T(6)));
    hn::StoreU(hn::Mul(hn::Mul(v, gate), hn::Set(d, T(1) / 6)), d, y + i);
  });
}

template <class T>
void hard_swish_grad_of(const T* x, const T* dy, T* dx, int64_t n) {
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto v = hn::LoadU(d, x + i), three = hn::Set(d, T(3)), one = hn::Set(d, T(1));
    const auto between = hn::Mul(hn::MulAdd(hn::Set(d, T(2)), v, three), hn::Set(d, T(1) / 6));
    const auto below_three = hn::IfThenElse(hn::Lt(v, three), between, one);
    const auto slope = hn::IfThenElse(hn::Gt(v, hn::Neg(three)), below_three, hn::Zero(d));
    hn::StoreU(hn::Mul(hn::LoadU(d, dy + i), slope), d, dx + i);
  });
}

}  // namespace
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {

template <class T>
void hard_swish(const T* x, T* y, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(hard_swish_of<T>);
  parallel_for(n, grain_for(1), [=](int64_t i, int64_t end) { kernel(x + i, y + i, end - i); });
}
template <class T>
void hard_swish_grad(const T* x, const T* dy, T* dx, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(hard_swish_grad_of<T>);
  parallel_for(n, grain_for(1), [=](int64_t i, int64_t end) { kernel(x + i, dy + i, dx + i, end - i); });
}

template void hard_swish(const float*, float*, int64_t) noexcept;
template void hard_swish(const double*, double*, int64_t) noexcept;
template void hard_swish_grad(const float*, const float*, float*, int64_t) noexcept;
template void hard_swish_grad(const double*, const double*, double*, int64_t) noexcept;

}  // namespace mixtape::kernels
#endif

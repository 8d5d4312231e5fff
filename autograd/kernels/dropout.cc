#include "autograd/kernels/dropout.h"

#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/dropout.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

template <class T>
void dropout_elements(const DropoutDraw& draw, const T* x, T* y, int64_t first, int64_t n) {
  RandomWords words(draw, first);
  dropout_run(draw, words, x, y, first, n);
}

}  // namespace
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

constexpr int64_t kGrain = 1 << 12;  // elements, a multiple of kRandomGroup

}  // namespace

template <class T>
void dropout(const DropoutDraw& draw, const T* x, T* y, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(dropout_elements<T>);
  parallel_for(n, kGrain, [=](int64_t i, int64_t end) { kernel(draw, x + i, y + i, i, end - i); });
}

template void dropout(const DropoutDraw&, const float*, float*, int64_t) noexcept;
template void dropout(const DropoutDraw&, const double*, double*, int64_t) noexcept;

}  // namespace mixtape::kernels
#endif

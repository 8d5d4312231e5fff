#include "autograd/kernels/convert.h"

#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/convert.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/bf16-inl.h"
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

void round_run(const float* x, uint16_t* y, int64_t n) {
  for_lanes<float>(n, [=](auto d, int64_t i) HWY_ATTR {
    const hn::Rebind<uint16_t, decltype(d)> half;
    const auto bits = rounded_bits(d, hn::LoadU(d, x + i));
    hn::StoreU(hn::TruncateTo(half, hn::ShiftRight<16>(bits)), half, y + i);
  });
}

void widen_run(const uint16_t* x, float* y, int64_t n) {
  for_lanes<float>(n, [=](auto d, int64_t i) HWY_ATTR {
    const hn::Rebind<uint16_t, decltype(d)> half;
    const hn::RebindToUnsigned<decltype(d)> whole;
    hn::StoreU(hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(whole, hn::LoadU(half, x + i)))), d, y + i);
  });
}

}  // namespace
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements

}  // namespace

void round_to_bf16(const float* x, uint16_t* y, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(round_run);
  parallel_for(n, kGrain, [=](int64_t i, int64_t end) { kernel(x + i, y + i, end - i); });
}

void widen_bf16(const uint16_t* x, float* y, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(widen_run);
  parallel_for(n, kGrain, [=](int64_t i, int64_t end) { kernel(x + i, y + i, end - i); });
}

}  // namespace mixtape::kernels
#endif

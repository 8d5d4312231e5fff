#include "autograd/kernels/convert.h"

#include "autograd/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/convert.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/bf16-inl.h"
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

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

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(round_run);
HWY_EXPORT(widen_run);

constexpr int64_t kGrain = 1 << 14;

}  // namespace

void round_to_bf16(const float* x, uint16_t* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(round_run);
  parallel_for(n, kGrain, [=](int64_t first, int64_t last) { run(x + first, y + first, last - first); });
}

void widen_bf16(const uint16_t* x, float* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(widen_run);
  parallel_for(n, kGrain, [=](int64_t first, int64_t last) { run(x + first, y + first, last - first); });
}

}  // namespace mixtape::kernels
#endif

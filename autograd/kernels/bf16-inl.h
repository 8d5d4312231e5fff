// bfloat16 on vectors. Included once per instruction set.
#if defined(MIXTAPE_KERNELS_BF16_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIXTAPE_KERNELS_BF16_INL_H
#undef MIXTAPE_KERNELS_BF16_INL_H
#else
#define MIXTAPE_KERNELS_BF16_INL_H
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// v rounded to the nearest bfloat16, to even in the middle, as the bits of an f32: the 16 low ones are 0. A NaN stays
/// one.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> rounded_bits(D, hn::Vec<D> v) {
  const hn::RebindToUnsigned<D> du;
  const auto upper = hn::Set(du, 0xffff0000U);
  const auto bits = hn::BitCast(du, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1U));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7fffU)));
  const auto quiet = hn::Or(bits, hn::Set(du, 0x400000U));
  return hn::And(hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(v)), quiet, rounded), upper);
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

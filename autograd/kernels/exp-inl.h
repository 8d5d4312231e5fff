// The exponential function on vectors. Included once per instruction set.
#if defined(MIXTAPE_KERNELS_EXP_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIXTAPE_KERNELS_EXP_INL_H
#undef MIXTAPE_KERNELS_EXP_INL_H
#else
#define MIXTAPE_KERNELS_EXP_INL_H
#endif

#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// exp(x) for x up to 88 (float) or 706 (double), which is where softmax and its kin need it. Highway's Exp makes 0 of
/// a NaN, which would hide that training has failed; here it stays.
template <class D>
HWY_INLINE hn::Vec<D> exp_of(D d, hn::Vec<D> x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, x));
}

/// The same for softmax and its kin, whose terms below the smallest normal float, 1.2e-38, do not count: they are 0.
/// x = n ln 2 + r with |r| <= ln(2) / 2, and exp(r) as a polynomial (Moshier's Cephes, expf), off by one unit in the
/// last place at most.
template <class D>
HWY_INLINE hn::Vec<D> softmax_exp(D d, hn::Vec<D> x) {
  if constexpr (sizeof(hn::TFromD<D>) == sizeof(double)) {
    return exp_of(d, x);
  } else {
    const hn::RebindToUnsigned<D> bits;
    // 1.5 * 2^23 + 127: what is added to it is rounded to an integer, and the last bits are the exponent of 2^n.
    const auto rounding = hn::Set(d, 12583039.0F);
    const auto shifted = hn::MulAdd(x, hn::Set(d, 1.442695041F), rounding), n = hn::Sub(shifted, rounding);
    const auto r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4F), hn::NegMulAdd(n, hn::Set(d, 0.693359375F), x));
    auto p = hn::MulAdd(hn::Set(d, 1.9875691500e-4F), r, hn::Set(d, 1.3981999507e-3F));
    p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3F));
    p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2F));
    p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1F));
    p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1F));
    p = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0F));
    const auto power = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(bits, shifted)));
    return hn::IfThenElse(hn::Lt(x, hn::Set(d, -87.33F)), hn::Zero(d), hn::Mul(p, power));
  }
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

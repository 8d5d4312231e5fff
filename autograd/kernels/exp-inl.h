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

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

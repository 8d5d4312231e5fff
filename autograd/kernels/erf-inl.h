// The error function on vectors. Included once per instruction set.
#if defined(MIXTAPE_KERNELS_ERF_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIXTAPE_KERNELS_ERF_INL_H
#undef MIXTAPE_KERNELS_ERF_INL_H
#else
#define MIXTAPE_KERNELS_ERF_INL_H
#endif

#include <cmath>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// erf(x) of floats: x P(x^2) / Q(x^2) for |x| < 3.92, beyond which it is 1 to the last bit. Coefficients fitted for
/// the least relative error, 1.9e-8 before rounding.
template <class D>
  requires(sizeof(hn::TFromD<D>) == 4)
HWY_INLINE hn::Vec<D> erf_of(D d, hn::Vec<D> x) {
  const auto limit = hn::Set(d, 3.92f), one = hn::Set(d, 1.0f);
  const auto z = hn::IfThenElse(hn::IsNaN(x), x, hn::Max(hn::Neg(limit), hn::Min(limit, x)));
  const auto t = hn::Mul(z, z);
  auto p = hn::Set(d, 2.050150263e-06f);
  p = hn::MulAdd(p, t, hn::Set(d, 2.848748473e-04f));
  p = hn::MulAdd(p, t, hn::Set(d, 3.765267168e-03f));
  p = hn::MulAdd(p, t, hn::Set(d, 5.274764758e-02f));
  p = hn::MulAdd(p, t, hn::Set(d, 1.903983248e-01f));
  p = hn::MulAdd(p, t, hn::Set(d, 1.128379146e+00f));
  auto q = hn::Set(d, 3.809195442e-05f);
  q = hn::MulAdd(q, t, hn::Set(d, 1.162450589e-03f));
  q = hn::MulAdd(q, t, hn::Set(d, 1.496851755e-02f));
  q = hn::MulAdd(q, t, hn::Set(d, 1.141057468e-01f));
  q = hn::MulAdd(q, t, hn::Set(d, 5.020688650e-01f));
  q = hn::MulAdd(q, t, one);
  const auto y = hn::Div(hn::Mul(z, p), q);
  return hn::IfThenElse(hn::Gt(hn::Abs(y), one), hn::CopySign(one, y), y);
}

/// erf(x) of doubles, lane by lane through the standard library: f64 is for checking gradients, where digits count and
/// speed does not.
template <class D>
  requires(sizeof(hn::TFromD<D>) == 8)
HWY_INLINE hn::Vec<D> erf_of(D d, hn::Vec<D> x) {
  HWY_ALIGN double lanes[HWY_MAX_BYTES / sizeof(double)];
  hn::StoreU(x, d, lanes);
  for (size_t i = 0; i < hn::Lanes(d); ++i) lanes[i] = std::erf(lanes[i]);
  return hn::LoadU(d, lanes);
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

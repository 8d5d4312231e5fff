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

/// x P(x^2) / Q(x^2) of floats, coefficients from the highest power down.
template <class D, size_t kP, size_t kQ>
HWY_INLINE hn::Vec<D> odd_ratio(D d, hn::Vec<D> x, const float (&numerator)[kP], const float (&denominator)[kQ]) {
  const auto t = hn::Mul(x, x);
  auto p = hn::Set(d, numerator[0]), q = hn::Set(d, denominator[0]);
  for (size_t i = 1; i < kP; ++i) p = hn::MulAdd(p, t, hn::Set(d, numerator[i]));
  for (size_t i = 1; i < kQ; ++i) q = hn::MulAdd(q, t, hn::Set(d, denominator[i]));
  return hn::Div(hn::Mul(x, p), q);
}

/// erf(x) of floats. Beyond 3.92 it is 1 to the last bit. Coefficients fitted for the least relative error, 1.9e-8
/// before rounding.
template <class D>
  requires(sizeof(hn::TFromD<D>) == 4)
HWY_INLINE hn::Vec<D> erf_of(D d, hn::Vec<D> x) {
  constexpr float kNumerator[] = {2.050150263e-06F, 2.848748473e-04F, 3.765267168e-03F,
                                  5.274764758e-02F, 1.903983248e-01F, 1.128379146e+00F};
  constexpr float kDenominator[] = {3.809195442e-05F, 1.162450589e-03F, 1.496851755e-02F,
                                    1.141057468e-01F, 5.020688650e-01F, 1.0F};
  const auto one = hn::Set(d, 1.0F), size = hn::Abs(x);
  const auto y = hn::Min(one, odd_ratio(d, hn::Min(hn::Set(d, 3.92F), size), kNumerator, kDenominator));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(y, x));
}

/// gelu'(x) = (1 + erf(x / sqrt 2)) / 2 + x exp(-x^2 / 2) / sqrt(2 pi) of floats. Beyond 5.8 it is 0 or 1 but for
/// 1.2e-7; what it has over 1/2 is odd. Coefficients fitted for the least error, 2.7e-9 before rounding.
template <class D>
  requires(sizeof(hn::TFromD<D>) == 4)
HWY_INLINE hn::Vec<D> gelu_slope_of(D d, hn::Vec<D> x) {
  constexpr float kNumerator[] = {1.582958049e-08F, 7.502243325e-07F,  3.407383542e-05F, 1.371748937e-04F,
                                  1.400041768e-02F, -2.600449766e-02F, 7.978845428e-01F};
  constexpr float kDenominator[] = {1.286482083e-09F, 2.924536937e-07F, 9.452829466e-06F, 2.289884424e-04F,
                                    3.785073439e-03F, 4.279469475e-02F, 3.007412999e-01F, 1.0F};
  const auto half = hn::Set(d, 0.5F), y = odd_ratio(d, x, kNumerator, kDenominator);
  return hn::Add(half, hn::IfThenElse(hn::Gt(hn::Abs(x), hn::Set(d, 5.8F)), hn::CopySign(half, x), y));
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

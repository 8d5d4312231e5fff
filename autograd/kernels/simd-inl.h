// Loops shared by the kernels: whole vectors, then the tail with the same code on single lanes. Included once per
// instruction set.
#if defined(MIXTAPE_KERNELS_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIXTAPE_KERNELS_SIMD_INL_H
#undef MIXTAPE_KERNELS_SIMD_INL_H
#else
#define MIXTAPE_KERNELS_SIMD_INL_H
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Wide = hn::ScalableTag<T>;
template <class T>
using One = hn::CappedTag<T, 1>;

/// Calls f(tag, i) for i = 0, N, 2N.. with the tag of whole vectors of N lanes, then for the rest with a one-lane tag.
template <class T, class F>
HWY_INLINE void for_lanes(int64_t n, const F& f) {
  const Wide<T> wide;
  const auto lanes = static_cast<int64_t>(hn::Lanes(wide));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) f(wide, i);
  for (; i < n; ++i) f(One<T>(), i);
}

/// The sum of term(tag, i) over i in [0, n), where term gives the vector of lanes from i on. Four running sums hide the
/// latency of addition.
template <class T, class F>
HWY_INLINE T sum_lanes(int64_t n, const F& term) {
  const Wide<T> wide;
  const auto lanes = static_cast<int64_t>(hn::Lanes(wide));
  auto s0 = hn::Zero(wide), s1 = s0, s2 = s0, s3 = s0;
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = hn::Add(s0, term(wide, i));
    s1 = hn::Add(s1, term(wide, i + lanes));
    s2 = hn::Add(s2, term(wide, i + 2 * lanes));
    s3 = hn::Add(s3, term(wide, i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) s0 = hn::Add(s0, term(wide, i));
  T sum = hn::GetLane(hn::SumOfLanes(wide, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
  for (; i < n; ++i) sum += hn::GetLane(term(One<T>(), i));
  return sum;
}

/// The largest of x[0, n), n > 0. A NaN anywhere is not guaranteed to be found.
template <class T>
HWY_INLINE T max_lanes(int64_t n, const T* HWY_RESTRICT x) {
  const Wide<T> wide;
  const auto lanes = static_cast<int64_t>(hn::Lanes(wide));
  T largest = x[0];
  int64_t i = 0;
  if (n >= lanes) {
    auto m = hn::LoadU(wide, x);
    for (i = lanes; i + lanes <= n; i += lanes) m = hn::Max(m, hn::LoadU(wide, x + i));
    largest = hn::GetLane(hn::MaxOfLanes(wide, m));
  }
  for (; i < n; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

// Small transposes on vectors. Included once per instruction set.
#if defined(MIXTAPE_KERNELS_TRANSPOSE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIXTAPE_KERNELS_TRANSPOSE_INL_H
#undef MIXTAPE_KERNELS_TRANSPOSE_INL_H
#else
#define MIXTAPE_KERNELS_TRANSPOSE_INL_H
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Transposes 4 x 4 elements: rows of `from` are `stride` apart, those of `to` `width` apart.
HWY_INLINE void transpose_four(const float* from, int64_t stride, float* to, int64_t width) {
#if HWY_TARGET == HWY_SCALAR
  for (int64_t i = 0; i < 16; ++i) to[i / 4 * width + i % 4] = from[i % 4 * stride + i / 4];
#else
  const hn::FixedTag<float, 4> d;
  const hn::Repartition<double, decltype(d)> pairs;
  const auto r0 = hn::LoadU(d, from), r1 = hn::LoadU(d, from + stride), r2 = hn::LoadU(d, from + 2 * stride),
             r3 = hn::LoadU(d, from + 3 * stride);
  const auto a = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1)),
             b = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3)),
             e = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1)),
             f = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, a, b)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, a, b)), d, to + width);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, e, f)), d, to + 2 * width);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, e, f)), d, to + 3 * width);
#endif
}

/// to[i * width + r] = from[r * stride + i] for r < rows, i < n.
HWY_INLINE void transpose_rows(const float* from, int64_t stride, int64_t rows, int64_t n, float* to, int64_t width) {
  const int64_t whole_rows = rows / 4 * 4, whole = n / 4 * 4;
  for (int64_t r = 0; r < whole_rows; r += 4) {
    for (int64_t i = 0; i < whole; i += 4) transpose_four(from + r * stride + i, stride, to + i * width + r, width);
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = r < whole_rows ? whole : 0; i < n; ++i) to[i * width + r] = from[r * stride + i];
  }
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

// Philox4x32-10 on vectors, and the dropout that draws from it. Included once per instruction set.
#if defined(MIXTAPE_KERNELS_PHILOX_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIXTAPE_KERNELS_PHILOX_INL_H
#undef MIXTAPE_KERNELS_PHILOX_INL_H
#else
#define MIXTAPE_KERNELS_PHILOX_INL_H
#endif

#include <array>
#include <cstdint>

#include "autograd/kernels/dropout.h"
#include "autograd/kernels/philox.h"
#include "autograd/kernels/workspace.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int64_t kRandomGroup = 64;  // words computed at once: 16 counters, 4 words each

/// words[16 w + c] = word w of philox(counter first_counter + c), c in [0, 16).
#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void philox_group(const DropoutDraw& draw, uint64_t first_counter, uint32_t* HWY_RESTRICT words) {
  for (uint32_t c = 0; c < 16; ++c) {
    const auto block = philox({static_cast<uint32_t>(first_counter) + c, draw.op, static_cast<uint32_t>(draw.step), 0},
                              {static_cast<uint32_t>(draw.seed), static_cast<uint32_t>(draw.seed >> 32)});
    for (size_t w = 0; w < 4; ++w) words[16 * w + c] = block[w];
  }
}
#else
/// The words of several counters, each in the lower half of 64 bits; the upper halves are unused.
struct PhiloxWords {
  using D = hn::CappedTag<uint32_t, 16>;
  using V = hn::Vec<D>;

  V x0, x1, x2, x3;

  HWY_INLINE void round(V multiplier0, V multiplier1, V key0, V key1) {
    const D d;
    const auto product0 = hn::MulEven(x0, multiplier0), product1 = hn::MulEven(x2, multiplier1);
    const V low0 = hn::BitCast(d, product0), low1 = hn::BitCast(d, product1);
    x0 = hn::Xor3(hn::Shuffle2301(low1), x1, key0);
    x1 = low1;
    x2 = hn::Xor3(hn::Shuffle2301(low0), x3, key1);
    x3 = low0;
  }
};

HWY_INLINE void philox_group(const DropoutDraw& draw, uint64_t first_counter, uint32_t* HWY_RESTRICT words) {
  const PhiloxWords::D d;
  const hn::Repartition<uint64_t, PhiloxWords::D> d64;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto m0 = hn::Set(d, kPhiloxMultiplier0), m1 = hn::Set(d, kPhiloxMultiplier1);
  const auto pick = [&](PhiloxWords::V odd, PhiloxWords::V even) HWY_ATTR {
    return hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(hn::BitCast(d64, odd))), even);
  };
  for (int64_t c = 0; c < 16; c += lanes) {
    const auto counters =
        hn::Add(hn::Iota(d, static_cast<uint32_t>(c)), hn::Set(d, static_cast<uint32_t>(first_counter)));
    const auto op = hn::Set(d, draw.op), step = hn::Set(d, static_cast<uint32_t>(draw.step)), zero = hn::Zero(d);
    PhiloxWords even{counters, op, step, zero};
    PhiloxWords odd{hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(d64, counters))), op, step, zero};
    uint32_t k0 = static_cast<uint32_t>(draw.seed), k1 = static_cast<uint32_t>(draw.seed >> 32);
    for (int i = 0; i < kPhiloxRounds; ++i) {
      const auto key0 = hn::Set(d, k0), key1 = hn::Set(d, k1);
      even.round(m0, m1, key0, key1);
      odd.round(m0, m1, key0, key1);
      k0 += kPhiloxKeyStep0;
      k1 += kPhiloxKeyStep1;
    }
    hn::StoreU(pick(odd.x0, even.x0), d, words + c);
    hn::StoreU(pick(odd.x1, even.x1), d, words + 16 + c);
    hn::StoreU(pick(odd.x2, even.x2), d, words + 32 + c);
    hn::StoreU(pick(odd.x3, even.x3), d, words + 48 + c);
  }
}
#endif

/// The random words of the group of elements in use, initially that of `element`.
struct RandomWords {
  int64_t group;
  uint32_t* words = workspace<uint32_t>(Workspace::random_words, kRandomGroup);

  RandomWords(const DropoutDraw& draw, int64_t element) { fill(draw, element / kRandomGroup); }
  void fill(const DropoutDraw& draw, int64_t next) {
    group = next;
    philox_group(draw, static_cast<uint64_t>(group) * 16, words);
  }
};

/// y[i] = keep(first + i) ? x[i] / (1 - p) : 0 for i in [0, n). y may be x. What is kept depends on the draw and the
/// element's index alone, so any cut into runs and any instruction set give the same.
template <class T>
HWY_INLINE void dropout_run(const DropoutDraw& draw, RandomWords& random, const T* x, T* y, int64_t first, int64_t n) {
  const T scale = static_cast<T>(draw.scale);
  for (int64_t e = first; e < first + n;) {
    const int64_t group = e / kRandomGroup, start = e % kRandomGroup;
    const int64_t count = kRandomGroup - start < first + n - e ? kRandomGroup - start : first + n - e;
    if (group != random.group) random.fill(draw, group);
    const uint32_t* words = random.words + start;
    const T* from = x + (e - first);
    T* to = y + (e - first);
    for (int64_t i = 0; i < count; ++i) to[i] = words[i] >= draw.threshold ? from[i] * scale : T(0);
    e += count;
  }
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

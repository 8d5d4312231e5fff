#include "autograd/kernels/packed_gemm.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/packed_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"
#include "autograd/kernels/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

using F = Wide<float>;
using Vector = hn::Vec<F>;

constexpr int kRows = HWY_MAX_BYTES == 64 ? 12 : 6;  // of C in registers at a time, two vectors each
constexpr int64_t kDepth = 256;                      // a panel of A then fills a quarter of the nearest cache
constexpr int kAhead = 16;                           // vectors of B that are asked for before they are needed

int64_t columns() { return 2 * static_cast<int64_t>(hn::Lanes(F())); }

void pack(const PanelSource& from, int64_t width, float* to) {
  if (from.rows < width) std::fill_n(to, from.depth * width, 0.0F);
  if (!from.across) return transpose_rows(from.data, from.stride, from.rows, from.depth, to, width);
  const hn::CappedTag<float, 4> d;
  const auto few = static_cast<int64_t>(hn::Lanes(d));
  const int64_t whole = from.rows / few * few;
  for (int64_t k = 0; k < from.depth; ++k, to += width) {
    const float* numbers = from.data + k * from.stride;
    for (int64_t i = 0; i < whole; i += few) hn::StoreU(hn::LoadU(d, numbers + i), d, to + i);
    for (int64_t i = whole; i < from.rows; ++i) to[i] = numbers[i];
  }
}

void pack_a(const PanelSource& from, float* to) { pack(from, kRows, to); }

void pack_b(const PanelSource& from, float* to) {
  const int64_t width = columns(), half = width / 2;
  if (!from.across || from.rows < width) return pack(from, width, to);
  const F d;
  for (int64_t k = 0; k < from.depth; ++k, to += width) {
    const float* numbers = from.data + k * from.stride;
    hn::StoreU(hn::LoadU(d, numbers), d, to);
    hn::StoreU(hn::LoadU(d, numbers + half), d, to + half);
  }
}

// C of a panel that is cut short on the right.
HWY_INLINE void store_some(const PanelProduct<float>& p, const float* sums, int64_t row) {
  float* c = p.c + row * p.c_stride;
  for (int64_t i = 0; i < p.columns; ++i) {
    const float start = p.bias ? p.bias[i] : (p.beta == 0 ? 0 : p.beta * c[i]);
    c[i] = p.alpha * sums[i] + start;
  }
}

HWY_INLINE Vector start_of(F d, const PanelProduct<float>& p, const float* c, int64_t at) {
  if (p.bias) return hn::LoadU(d, p.bias + at);
  return p.beta == 0 ? hn::Zero(d) : hn::Mul(hn::Set(d, p.beta), hn::LoadU(d, c + at));
}

void multiply(const PanelProduct<float>& p) {
  const F d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  Vector low[kRows], high[kRows];
  for (int r = 0; r < kRows; ++r) low[r] = high[r] = hn::Zero(d);
  for (int64_t r = 0; r < p.rows; ++r) {  // what will be written takes long to come
    __builtin_prefetch(p.c + r * p.c_stride, 1);
    __builtin_prefetch(p.c + r * p.c_stride + p.columns - 1, 1);
  }
  const float *HWY_RESTRICT a = p.a, *HWY_RESTRICT b = p.b;
  for (int64_t k = 0; k < p.depth; ++k, a += kRows, b += 2 * lanes) {
    const Vector b0 = hn::Load(d, b), b1 = hn::Load(d, b + lanes);
    __builtin_prefetch(b + kAhead * lanes);
    __builtin_prefetch(b + kAhead * lanes + lanes);
    for (int r = 0; r < kRows; ++r) {
      const Vector x = hn::Set(d, a[r]);
      low[r] = hn::MulAdd(x, b0, low[r]);
      high[r] = hn::MulAdd(x, b1, high[r]);
    }
  }
  const Vector alpha = hn::Set(d, p.alpha);
  HWY_ALIGN float sums[2 * HWY_MAX_BYTES / sizeof(float)];
  for (int r = 0; r < kRows && r < p.rows; ++r) {
    float* c = p.c + r * p.c_stride;
    if (p.columns < 2 * lanes) {
      hn::Store(low[r], d, sums);
      hn::Store(high[r], d, sums + lanes);
      store_some(p, sums, r);
      continue;
    }
    const Vector low_start = start_of(d, p, c, 0), high_start = start_of(d, p, c, lanes);
    hn::StoreU(hn::MulAdd(alpha, low[r], low_start), d, c);
    hn::StoreU(hn::MulAdd(alpha, high[r], high_start), d, c + lanes);
  }
}

void nothing() {}

const PanelKernels<float>* panel_kernels() {
  static const PanelKernels<float> kernels = {.name = hwy::TargetName(HWY_TARGET),
                                              .rows = kRows,
                                              .columns = columns(),
                                              .depth_multiple = 1,
                                              .depth = kDepth,
                                              .a_stays = true,
                                              .pack_a = pack_a,
                                              .pack_b = pack_b,
                                              .begin = nothing,
                                              .multiply = multiply,
                                              .end = nothing};
  return hn::Lanes(F()) >= 8 ? &kernels : nullptr;
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {

HWY_EXPORT(panel_kernels);

const PanelKernels<float>* packed_gemm() { return HWY_DYNAMIC_DISPATCH(panel_kernels)(); }

// Measured.
bool prefers_packed_gemm(int64_t m, int64_t n, int64_t k, const Operand<float>& a) noexcept {
  const bool worth = a.transposed ? a.stride >= 512 && n >= 128 : n >= 256 || k > 1024;
  return worth && m >= 96 && k >= 64 && packed_gemm() != nullptr;
}

}  // namespace mixtape::kernels
#endif

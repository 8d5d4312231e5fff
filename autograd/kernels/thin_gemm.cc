#include "autograd/kernels/thin_gemm.h"

#include <algorithm>

#include "autograd/kernels/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/thin_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"
#include "autograd/kernels/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

using F = Wide<float>;
using Vector = hn::Vec<F>;

constexpr int kMostRows = HWY_MAX_BYTES == 64 ? 12 : 6;  // of C in registers at a time, two vectors each
constexpr int64_t kDepth = 192;                          // of A and B between two visits of an element of C
constexpr int64_t kDirectRows = 32;                      // with fewer rows a strip of B is not worth a copy

// What a strip of C, two vectors wide, gets: A's rows times a strip of B.
struct Strip {
  const float* a = nullptr;
  int64_t a_row = 0, a_column = 0;  // distance of neighbours within a column of A, within a row
  const float* b = nullptr;
  int64_t b_stride = 0;
  int64_t depth = 0;
  float alpha = 1, beta = 0;
  float* c = nullptr;
  int64_t c_stride = 0, columns = 0;  // of the strip; those past the last are computed and dropped
  const float* bias = nullptr;
};

HWY_INLINE Vector start_of(F d, const Strip& s, const float* c, int64_t at) {
  if (s.bias) return hn::LoadU(d, s.bias + at);
  return s.beta == 0 ? hn::Zero(d) : hn::Mul(hn::Set(d, s.beta), hn::LoadU(d, c + at));
}

HWY_INLINE void store_row(F d, const Strip& s, float* c, Vector low, Vector high) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const Vector alpha = hn::Set(d, s.alpha);
  if (s.columns == 2 * lanes) {
    hn::StoreU(hn::MulAdd(alpha, low, start_of(d, s, c, 0)), d, c);
    hn::StoreU(hn::MulAdd(alpha, high, start_of(d, s, c, lanes)), d, c + lanes);
    return;
  }
  HWY_ALIGN float sums[2 * HWY_MAX_BYTES / sizeof(float)];
  hn::Store(low, d, sums);
  hn::Store(high, d, sums + lanes);
  for (int64_t i = 0; i < s.columns; ++i) {
    const float start = s.bias ? s.bias[i] : (s.beta == 0 ? 0 : s.beta * c[i]);
    c[i] = s.alpha * sums[i] + start;
  }
}

template <int kRows>
HWY_INLINE void multiply_rows(const Strip& s, int64_t row) {
  const F d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t step = s.a_row;
  const float* HWY_RESTRICT a = s.a + row * step;
  const float* HWY_RESTRICT b = s.b;
  Vector low[kRows], high[kRows];
  for (int r = 0; r < kRows; ++r) low[r] = high[r] = hn::Zero(d);
  for (int64_t k = 0; k < s.depth; ++k, a += s.a_column, b += s.b_stride) {
    const Vector b0 = hn::LoadU(d, b), b1 = hn::LoadU(d, b + lanes);
    for (int r = 0; r < kRows; ++r) {
      const Vector x = hn::Set(d, a[r * step]);
      low[r] = hn::MulAdd(x, b0, low[r]);
      high[r] = hn::MulAdd(x, b1, high[r]);
    }
  }
  for (int r = 0; r < kRows; ++r) store_row(d, s, s.c + (row + r) * s.c_stride, low[r], high[r]);
}

HWY_INLINE void multiply_strip(const Strip& s, int64_t rows) {
  int64_t row = 0;
  for (; row + kMostRows <= rows; row += kMostRows) multiply_rows<kMostRows>(s, row);
  for (; row + 6 <= rows; row += 6) multiply_rows<6>(s, row);
  for (; row + 3 <= rows; row += 3) multiply_rows<3>(s, row);
  for (; row < rows; ++row) multiply_rows<1>(s, row);
}

// Copies `depth` rows of `columns` columns of B, from row k and the given column on, to rows of `width`, filled up with
// 0.
void pack(Operand<float> b, int64_t k, int64_t depth, int64_t column, int64_t columns, int64_t width, float* to) {
  if (columns < width) std::fill_n(to, depth * width, 0.0F);
  if (!b.transposed) {
    const float* from = b.data + k * b.stride + column;
    if (columns < width) {
      for (int64_t row = 0; row < depth; ++row) std::copy_n(from + row * b.stride, columns, to + row * width);
      return;
    }
    const F d;
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    for (int64_t row = 0; row < depth; ++row, from += b.stride, to += width) {
      hn::StoreU(hn::LoadU(d, from), d, to);
      hn::StoreU(hn::LoadU(d, from + lanes), d, to + lanes);
    }
    return;
  }
  transpose_rows(b.data + column * b.stride + k, b.stride, columns, depth, to, width);
}

void run_thin_gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta,
                   float* c, int64_t c_stride, const float* bias, float* room) {
  const int64_t width = 2 * static_cast<int64_t>(hn::Lanes(F()));
  Strip s{.a_row = a.transposed ? 1 : a.stride, .a_column = a.transposed ? a.stride : 1, .alpha = alpha};
  s.c_stride = c_stride;
  for (int64_t done = 0; done < k; done += kDepth) {
    s.depth = std::min(kDepth, k - done);
    s.a = a.data + done * s.a_column;
    s.beta = done == 0 ? beta : 1;
    for (int64_t column = 0; column < n; column += width) {
      s.columns = std::min(width, n - column);
      s.c = c + column;
      s.bias = bias && done == 0 ? bias + column : nullptr;
      s.b = room;
      s.b_stride = width;
      if (b.transposed || s.columns < width || m >= kDirectRows) {
        pack(b, done, s.depth, column, s.columns, width, room);
      } else {
        s.b = b.data + done * b.stride + column;
        s.b_stride = b.stride;
      }
      multiply_strip(s, m);
    }
  }
}

bool has_wide_vectors() { return hn::Lanes(F()) >= 8; }

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {

HWY_EXPORT(run_thin_gemm);
HWY_EXPORT(has_wide_vectors);

// Measured: OpenBLAS has kernels of its own for the smallest products, and its copies pay in large ones. The gradient
// of a weight (A' B) finds the numbers of A as it needs them, unless they lie too far apart.
bool prefers_thin_gemm(int64_t m, int64_t n, int64_t k, const Operand<float>& a, const Operand<float>& b) noexcept {
  if (!HWY_DYNAMIC_DISPATCH(has_wide_vectors)()) return false;
  if (a.transposed && !b.transposed && a.stride <= 1024 && m * n * k >= 300'000) return true;
  const int64_t least = b.transposed ? 1 << 14 : 300'000;
  return m * n * k >= least && n * k <= 300'000 && m * k <= 600'000;
}

void thin_gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
               int64_t c_stride, const float* bias) noexcept {
  constexpr int64_t kLine = 16;         // floats
  constexpr int64_t kStrip = 192 * 32;  // of B: depth times two of the widest vectors
  float* room = scratch<float>(7, kStrip + kLine);
  room += (kLine - reinterpret_cast<uintptr_t>(room) / sizeof(float) % kLine) % kLine;
  HWY_DYNAMIC_DISPATCH(run_thin_gemm)(m, n, k, alpha, a, b, beta, c, c_stride, bias, room);
}

}  // namespace mixtape::kernels
#endif

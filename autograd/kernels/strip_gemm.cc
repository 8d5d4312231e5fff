#include "autograd/kernels/strip_gemm.h"

#include <algorithm>

#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/strip_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"
#include "autograd/kernels/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

using F = Wide<float>;
using Vector = hn::Vec<F>;

constexpr int kMostRows = HWY_MAX_BYTES == 64 ? 12 : 6;  // of C in registers at a time, two vectors each
constexpr int64_t kDepth = 256;  // of A and B between two visits of an element of C: 12 rows of A stay in the cache

int64_t strip_width() { return 2 * static_cast<int64_t>(hn::Lanes(F())); }

// A's rows times a strip of B, two vectors wide, of which `columns` are in C.
struct Strip {
  const float* a;
  int64_t a_row, a_column;  // distance of neighbours within a column of A, within a row
  const float* b;
  int64_t depth;
  float alpha, beta;
  const float* bias;
  float* c;
  int64_t c_stride, columns;
};

HWY_INLINE Vector start_of(F d, const Strip& s, const float* c, int64_t at) {
  if (s.bias) return hn::LoadU(d, s.bias + at);
  return s.beta == 0 ? hn::Zero(d) : hn::Mul(hn::Set(d, s.beta), hn::LoadU(d, c + at));
}

// kRows rows of A times kVectors vectors of the strip. (Loops that were not unrolled would keep the sums in memory.)
template <int kRows, int kVectors>
void multiply_rows(const Strip& s) {
  const F d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t a_row = s.a_row, a_column = s.a_column, width = 2 * lanes;
  const float* HWY_RESTRICT b = s.b;
  const float* HWY_RESTRICT a[3];  // every fourth row
  for (int i = 0; i < 3; ++i) a[i] = s.a + 4 * i * a_row;
  Vector sums[kRows][kVectors];
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) sums[r][j] = hn::Zero(d);
  for (int64_t k = 0; k < s.depth; ++k, b += width) {
    const Vector b0 = hn::Load(d, b), b1 = hn::Load(d, b + (kVectors - 1) * lanes);
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      const Vector x = hn::Set(d, a[r / 4][r % 4 * a_row]);
      sums[r][0] = hn::MulAdd(x, b0, sums[r][0]);
      if constexpr (kVectors == 2) sums[r][1] = hn::MulAdd(x, b1, sums[r][1]);
    }
    for (int i = 0; i < (kRows + 3) / 4; ++i) a[i] += a_column;
  }
  const Vector alpha = hn::Set(d, s.alpha);
  float* c = s.c;
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r, c += s.c_stride) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j)
      hn::StoreU(hn::MulAdd(alpha, sums[r][j], start_of(d, s, c, j * lanes)), d, c + j * lanes);
  }
}

template <int kVectors>
void multiply_vectors(const Strip& s, int64_t rows) {
  using Multiply = void (*)(const Strip&);
  static constexpr Multiply kByRows[] = {
      multiply_rows<1, kVectors>,  multiply_rows<2, kVectors>,  multiply_rows<3, kVectors>,
      multiply_rows<4, kVectors>,  multiply_rows<5, kVectors>,  multiply_rows<6, kVectors>,
      multiply_rows<7, kVectors>,  multiply_rows<8, kVectors>,  multiply_rows<9, kVectors>,
      multiply_rows<10, kVectors>, multiply_rows<11, kVectors>, multiply_rows<12, kVectors>};
  kByRows[rows - 1](s);
}

// At most kMostRows rows of A times a strip.
void multiply(const Strip& s, int64_t rows) {
  const int64_t width = strip_width(), lanes = width / 2;
  if (s.columns == width) return multiply_vectors<2>(s, rows);
  if (s.columns == lanes) return multiply_vectors<1>(s, rows);
  float room[kMostRows * 2 * HWY_MAX_BYTES / sizeof(float)];
  Strip whole = s;
  whole.beta = 0;
  whole.bias = nullptr;
  whole.c = room;
  whole.c_stride = width;
  s.columns > lanes ? multiply_vectors<2>(whole, rows) : multiply_vectors<1>(whole, rows);
  for (int64_t r = 0; r < rows; ++r) {
    float* c = s.c + r * s.c_stride;
    for (int64_t i = 0; i < s.columns; ++i)
      c[i] = room[r * width + i] + (s.bias ? s.bias[i] : (s.beta == 0 ? 0 : s.beta * c[i]));
  }
}

// B's columns [column, column + columns), columns <= the width of a strip, as a strip, filled up with 0.
void pack_strip(Operand<float> b, int64_t depth, int64_t column, int64_t columns, float* to) {
  const F d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t width = 2 * lanes;
  if (columns < width) std::fill_n(to, depth * width, 0.0F);
  if (b.transposed) return transpose_rows(b.data + column * b.stride, b.stride, columns, depth, to, width);
  const float* from = b.data + column;
  for (int64_t row = 0; row < depth; ++row, from += b.stride, to += width) {
    if (columns < width) {
      std::copy_n(from, columns, to);
    } else {
      hn::StoreU(hn::LoadU(d, from), d, to);
      hn::StoreU(hn::LoadU(d, from + lanes), d, to + lanes);
    }
  }
}

// A product's inner sizes [done, done + depth) with B in strips, which lie one after the other.
struct Slab {
  Strip strip;  // the first
  int64_t strip_size, n;
};

void pack_slab(const Slab& slab, Operand<float> b, int64_t first, int64_t last, float* strips) {
  const int64_t width = strip_width(), depth = slab.strip.depth;
  for (int64_t i = first; i < last; ++i)
    pack_strip(b, depth, i * width, std::min(width, slab.n - i * width), strips + i * width * depth);
}

// C's rows [row, last_row) of the strips [first, last). The rows of A stay in the nearest cache while strips pass by.
void multiply_slab(const Slab& slab, int64_t row, int64_t last_row, int64_t first, int64_t last) {
  const int64_t width = strip_width();
  for (; row < last_row; row += kMostRows) {
    const int64_t rows = std::min<int64_t>(kMostRows, last_row - row);
    for (int64_t i = first; i < last; ++i) {
      Strip s = slab.strip;
      s.a += row * s.a_row;
      s.b += i * slab.strip_size;
      s.c += row * s.c_stride + i * width;
      if (s.bias) s.bias += i * width;
      s.columns = std::min(width, slab.n - i * width);
      multiply(s, rows);
    }
  }
}

int64_t strips_of(int64_t n) { return (n + strip_width() - 1) / strip_width(); }

// How deep the slab is that starts at `done`. All are the same, but for the last.
int64_t slab_depth(int64_t k, int64_t done = 0) {
  const int64_t slabs = (k + kDepth - 1) / kDepth;
  return std::min((k + slabs - 1) / slabs, k - done);
}

int64_t count_strips_elements(int64_t n, int64_t k) { return strips_of(n) * strip_width() * k; }

Slab first_slab(int64_t n, float alpha, Operand<float> a, float* c, int64_t c_stride) {
  Slab slab{};
  slab.n = n;
  slab.strip.a_row = a.transposed ? 1 : a.stride;
  slab.strip.a_column = a.transposed ? a.stride : 1;
  slab.strip.alpha = alpha;
  slab.strip.c = c;
  slab.strip.c_stride = c_stride;
  return slab;
}

void move_to(Slab& slab, Operand<float> a, int64_t k, int64_t done, float beta, const float* bias) {
  slab.strip.depth = slab_depth(k, done);
  slab.strip_size = slab.strip.depth * strip_width();
  slab.strip.a = a.data + done * slab.strip.a_column;
  slab.strip.beta = done == 0 ? beta : 1;
  slab.strip.bias = done == 0 ? bias : nullptr;
}

void pack_all(int64_t n, int64_t k, Operand<float> b, float* strips) {
  Slab slab{};
  slab.n = n;
  for (int64_t done = 0; done < k; done += slab.strip.depth) {
    slab.strip.depth = slab_depth(k, done);
    pack_slab(slab, rows_from(b, done), 0, strips_of(n), strips + count_strips_elements(n, done));
  }
}

void multiply_all(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, const Strips& b, float beta, float* c,
                  int64_t c_stride) {
  Slab slab = first_slab(n, alpha, a, c, c_stride);
  for (int64_t done = 0; done < k; done += slab.strip.depth) {
    move_to(slab, a, b.k, done, beta, nullptr);
    slab.strip.b = b.data + count_strips_elements(b.n, done);
    slab.strip.depth = std::min(slab.strip.depth, k - done);
    multiply_slab(slab, 0, m, 0, strips_of(n));
  }
}

// How a slab's part of C is cut into tasks.
struct Tasks {
  int64_t rows, strips;            // of one
  int64_t row_tasks, strip_tasks;  // how many
  bool by_rows;                    // neighbours share their rows, so that what passes by again and again is smaller

  Tasks(int64_t m, int64_t n, int64_t depth) : by_rows(m >= n) {
    constexpr int64_t kMostPanels = 24, kMostStrips = 16;
    const double flops = flops_of(m, n, depth);
    const int64_t pieces = flops < 4e6 ? 1 : flops < 8e6 ? 2 : flops < 2e7 ? 4 : 8, all = strips_of(n);
    const int64_t panels = (m + kMostRows - 1) / kMostRows;
    rows = std::clamp<int64_t>(panels / pieces, 1, kMostPanels) * kMostRows;
    row_tasks = (m + rows - 1) / rows;
    strips = std::clamp<int64_t>(all * row_tasks / pieces, 1, kMostStrips);
    strip_tasks = (all + strips - 1) / strips;
  }
};

void run_strip_gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta,
                    float* c, int64_t c_stride, const float* bias) {
  const int64_t strips = strips_of(n);
  const Tasks tasks(m, n, slab_depth(k));
  float* room = aligned_scratch<float>(7, count_strips_elements(n, slab_depth(k)));
  Slab slab = first_slab(n, alpha, a, c, c_stride);
  slab.strip.b = room;
  for (int64_t done = 0; done < k; done += slab.strip.depth) {
    move_to(slab, a, k, done, beta, bias);
    parallel_for(strips, grain_for(slab.strip.depth * strip_width()),
                 [&](int64_t first, int64_t last) { pack_slab(slab, rows_from(b, done), first, last, room); });
    parallel_for(tasks.row_tasks * tasks.strip_tasks, 1, [&](int64_t task, int64_t) {
      const int64_t row = (tasks.by_rows ? task / tasks.strip_tasks : task % tasks.row_tasks) * tasks.rows;
      const int64_t strip = (tasks.by_rows ? task % tasks.strip_tasks : task / tasks.row_tasks) * tasks.strips;
      multiply_slab(slab, row, std::min(m, row + tasks.rows), strip, std::min(strips, strip + tasks.strips));
    });
  }
}

bool has_wide_vectors() { return hn::Lanes(F()) >= 8; }

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {

HWY_EXPORT(run_strip_gemm);
HWY_EXPORT(count_strips_elements);
HWY_EXPORT(pack_all);
HWY_EXPORT(multiply_all);
HWY_EXPORT(has_wide_vectors);

// Measured: for few rows of A a large B is not worth a copy.
bool prefers_strip_gemm(int64_t m, int64_t n, int64_t k) noexcept {
  return k > 0 && (m >= 48 || n * k <= 300'000) && HWY_DYNAMIC_DISPATCH(has_wide_vectors)();
}

void strip_gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
                int64_t c_stride, const float* bias) noexcept {
  HWY_DYNAMIC_DISPATCH(run_strip_gemm)
  (m, n, k, alpha, mapped(a, m, k, 2), mapped(b, k, n, 3), beta, c, c_stride, bias);
}

int64_t strips_size(int64_t n, int64_t k) noexcept { return HWY_DYNAMIC_DISPATCH(count_strips_elements)(n, k); }

Strips pack_strips(int64_t n, int64_t k, Operand<float> b, float* room) noexcept {
  HWY_DYNAMIC_DISPATCH(pack_all)(n, k, b, room);
  return {room, n, k};
}

void multiply_strips(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, const Strips& b, float beta,
                     float* c, int64_t c_stride) noexcept {
  HWY_DYNAMIC_DISPATCH(multiply_all)(m, n, k, alpha, a, b, beta, c, c_stride);
}

}  // namespace mixtape::kernels
#endif

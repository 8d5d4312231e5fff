#include "autograd/kernels/gemm/simd_gemm.h"

#include <hwy/cache_control.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "autograd/kernels/elementwise.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/gemm/simd_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/bf16-inl.h"
#include "autograd/kernels/simd-inl.h"
#include "autograd/kernels/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

using F = Wide<float>;
using Vector = hn::Vec<F>;

// What of C is in registers at a time: kWideRows rows of kWide vectors, or kNarrowRows of two. Wide ones take fewer
// loads for as many products.
constexpr bool kManyRegisters = HWY_MAX_BYTES == 64;
constexpr int kWide = kManyRegisters ? 3 : 2, kWideRows = kManyRegisters ? 8 : 6, kNarrowRows = kManyRegisters ? 12 : 6;
constexpr int kKeptRows = kManyRegisters ? 24 : 6;        // of A that are kept at hand while strips pass by
constexpr int kTogetherVectors = kManyRegisters ? 1 : 2;  // of B that those are multiplied with if they lie together
constexpr int64_t kDeep = 96;                             // where it pays to ask for what comes next
constexpr int64_t kDepth = 256;                           // of A and B between two visits of an element of C

HWY_INLINE int64_t lanes() { return static_cast<int64_t>(hn::Lanes(F())); }

// How n columns are cut into strips: wide ones, then narrow ones, none of a single vector if that can be.
struct Cut {
  int64_t vectors, wide, strips;

  explicit Cut(int64_t n) : vectors((n + lanes() - 1) / lanes()), wide(vectors / kWide) {
    if (kWide == 3 && vectors % 3 == 1 && wide > 0) --wide;
    strips = wide + (vectors - kWide * wide + 1) / 2;
  }
  // The first of strip i.
  int64_t column(int64_t i) const {
    return lanes() * (i < wide ? kWide * i : std::min(vectors, kWide * wide + 2 * (i - wide)));
  }
  int64_t width(int64_t i) const { return column(i + 1) - column(i); }
};

// A's rows times a strip of B, `width` wide, of which `columns` are in C.
struct Strip {
  const float* a;
  int64_t a_row, a_column;  // distance of neighbours within a column of A, within a row
  const float* b;
  int64_t depth;
  float alpha, beta;
  const float* bias;
  float* c;
  int64_t c_stride, width, columns;
  bool together = false;  // A's rows lie kKeptRows to a column, one column after the other
};

HWY_INLINE Vector start_of(F d, const Strip& s, const float* c, int64_t at) {
  if (s.bias) return hn::LoadU(d, s.bias + at);
  return s.beta == 0 ? hn::Zero(d) : hn::Mul(hn::Set(d, s.beta), hn::LoadU(d, c + at));
}

// Adds the products of one inner index. (Loops that were not unrolled would keep the sums in memory.)
template <int kRows, int kVectors, class A>
HWY_INLINE void add_products(const A& a, const float* b, Vector (&sums)[kRows][kVectors]) {
  const F d;
  Vector right[kVectors];
#pragma GCC unroll 3
  for (int j = 0; j < kVectors; ++j) right[j] = hn::Load(d, b + j * lanes());
#pragma GCC unroll 24
  for (int r = 0; r < kRows; ++r) {
    const Vector left = hn::Set(d, a(r));
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) sums[r][j] = hn::MulAdd(left, right[j], sums[r][j]);
  }
}

// kRows rows of A times the first kVectors vectors of the strip. Two inner indices at a time leave more of what a busy
// core decodes to products.
template <int kRows, int kVectors, bool kTogether>
void multiply_rows(const Strip& s) {
  const F d;
  const int64_t a_row = kTogether ? 1 : s.a_row, a_column = kTogether ? kKeptRows : s.a_column, step = lanes();
  for (int r = 0; s.depth >= kDeep && r < kRows; ++r)
    for (int j = 0; j < kVectors; ++j) hwy::Prefetch(s.c + r * s.c_stride + j * step);
  Vector sums[kRows][kVectors];
#pragma GCC unroll 24
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) sums[r][j] = hn::Zero(d);
  const float *HWY_RESTRICT a = s.a, *HWY_RESTRICT far = a + 4 * a_row, *HWY_RESTRICT farther = far + 4 * a_row;
  const float* HWY_RESTRICT b = s.b;
  const auto number = [&](int r, int64_t column) HWY_ATTR {  // three addresses and four distances make twelve rows
    const float* from = kTogether || r < 4 ? a + r * a_row : r < 8 ? far + (r - 4) * a_row : farther + (r - 8) * a_row;
    return from[column];
  };
  const auto add = [&](int64_t column) HWY_ATTR {
    add_products([&](int r) HWY_ATTR { return number(r, column); }, b, sums);
    b += s.width;
  };
  const auto go_on = [&](int64_t distance) { a += distance, far += distance, farther += distance; };
  if (s.depth % 2 == 1) {
    add(0);
    go_on(a_column);
  }
  for (int64_t pairs = s.depth / 2; pairs > 0; --pairs) {
    add(0);
    add(a_column);
    go_on(2 * a_column);
  }
  const Vector alpha = hn::Set(d, s.alpha);
  float* c = s.c;
#pragma GCC unroll 24
  for (int r = 0; r < kRows; ++r, c += s.c_stride) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j)
      hn::StoreU(hn::MulAdd(alpha, sums[r][j], start_of(d, s, c, j * step)), d, c + j * step);
  }
}

using Multiply = void (*)(const Strip&);

// kMost rows at most.
template <int kVectors, int kMost, bool kTogether>
void multiply_vectors(const Strip& s, int64_t rows) {
  static constexpr auto kByRows = []<size_t... i>(std::index_sequence<i...>) {
    return std::array<Multiply, kMost>{multiply_rows<static_cast<int>(i) + 1, kVectors, kTogether>...};
  }(std::make_index_sequence<kMost>());
  kByRows[static_cast<size_t>(rows - 1)](s);
}

// Whole vectors of the strip.
void multiply_whole(const Strip& s, int64_t vectors, int64_t rows) {
  if (s.together)
    return vectors == kTogetherVectors ? multiply_vectors<kTogetherVectors, kKeptRows, true>(s, rows)
                                       : multiply_vectors<1, kKeptRows, true>(s, rows);
  if (vectors == kWide) return multiply_vectors<kWide, kWideRows, false>(s, rows);
  return vectors == 2 ? multiply_vectors<2, kNarrowRows, false>(s, rows)
                      : multiply_vectors<1, kNarrowRows, false>(s, rows);
}

// As many rows of A as there are registers for, times a strip.
void multiply(const Strip& s, int64_t rows) {
  const int64_t vectors = (s.columns + lanes() - 1) / lanes(), width = vectors * lanes();
  if (s.columns == width) return multiply_whole(s, vectors, rows);
  float room[std::max({kWideRows * kWide, kNarrowRows * 2, kKeptRows}) * HWY_MAX_BYTES / sizeof(float)];
  Strip whole = s;
  whole.beta = 0;
  whole.bias = nullptr;
  whole.c = room;
  whole.c_stride = width;
  multiply_whole(whole, vectors, rows);
  for (int64_t r = 0; r < rows; ++r) {
    float* c = s.c + r * s.c_stride;
    for (int64_t i = 0; i < s.columns; ++i)
      c[i] = room[r * width + i] + (s.bias ? s.bias[i] : (s.beta == 0 ? 0 : s.beta * c[i]));
  }
}

// B's columns [column, column + columns), columns <= width, as a strip, filled up with 0.
void copy_strip(Operand<float> b, int64_t depth, int64_t column, int64_t columns, int64_t width, float* to) {
  const F d;
  if (columns < width) std::fill_n(to, depth * width, 0.0F);
  if (b.transposed) return transpose_rows(b.data + column * b.stride, b.stride, columns, depth, to, width);
  const float* from = b.data + column;
  for (int64_t row = 0; row < depth; ++row, from += b.stride, to += width) {
    if (columns < width) {
      std::copy_n(from, columns, to);
    } else {
      for (int64_t i = 0; i < width; i += lanes()) hn::StoreU(hn::LoadU(d, from + i), d, to + i);
    }
  }
}

// Makes n numbers of an operand what is multiplied.
void prepare(std::optional<Unary> map, Factors factors, float* x, int64_t n) {
  if (map) unary(*map, x, x, n);
  if (factors == Factors::exact) return;
  for_lanes<float>(n, [=](auto d, int64_t i)
                          HWY_ATTR { hn::StoreU(hn::BitCast(d, rounded_bits(d, hn::LoadU(d, x + i))), d, x + i); });
}

// A product's inner sizes [done, done + depth) with B in strips, which lie one after the other.
struct Slab {
  Strip strip;  // the first
  Cut cut;
  std::optional<Unary> map;  // of A
  Factors factors;
  int64_t n, packed_depth = 0;  // of the strips as they lie, of which strip.depth are taken

  bool changes_a() const { return map || factors == Factors::bf16; }
};

void pack_slab(const Slab& slab, Operand<float> b, float* strips) {
  const int64_t depth = slab.strip.depth;
  parallel_for(slab.cut.strips, grain_for(depth * kWide * lanes(), 1 << 14), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t column = slab.cut.column(i), width = slab.cut.width(i);
      float* strip = strips + column * depth;
      copy_strip(b, depth, column, std::min(width, slab.n - column), width, strip);
      prepare(b.map, slab.factors, strip, depth * width);
    }
  });
}

// Copies some rows of A to the given room, kKeptRows to a column. Where a transposed A lies, each number of a row may
// be on a page of its own.
void bring_together(const Slab& slab, Strip& s, int64_t rows, float* room) {
  if (rows < kKeptRows && slab.changes_a()) std::fill_n(room, s.depth * kKeptRows, 0.0F);
  if (s.a_row == 1) {
    for (int64_t k = 0; k < s.depth; ++k) std::copy_n(s.a + k * s.a_column, rows, room + k * kKeptRows);
  } else {
    transpose_rows(s.a, s.a_row, rows, s.depth, room, kKeptRows);
  }
  prepare(slab.map, slab.factors, room, s.depth * kKeptRows);
  s.a = room;
  s.together = true;
}

// Asks for part i of `parts` of some rows of A, which come next.
void ask_for(const Strip& s, const float* a, int64_t rows, int64_t i, int64_t parts) {
  constexpr int64_t kLine = 16;
  const int64_t lines = (s.depth + kLine - 1) / kLine;
  for (int64_t line = i * lines / parts; line < (i + 1) * lines / parts; ++line)
    for (int64_t row = 0; row < rows; ++row) hwy::Prefetch(a + row * s.a_row + line * kLine);
}

// Rows of A times a strip: as many rows as there are registers for at a time, or if they lie together, vectors.
void multiply_strip(Strip s, int64_t rows) {
  const int64_t width = kTogetherVectors * lanes();
  const int64_t most = s.width == kWide * lanes() ? kWideRows : kNarrowRows;
  if (!s.together) {
    for (int64_t done = 0; done < rows; done += most, s.a += most * s.a_row, s.c += most * s.c_stride)
      multiply(s, std::min(most, rows - done));
    return;
  }
  for (int64_t left = s.columns; left > 0; left -= width, s.b += width, s.c += width) {
    s.columns = std::min(left, width);
    multiply(s, rows);
    if (s.bias) s.bias += width;
  }
}

// C's rows [row, last_row) of the strips [first, last), some rows of A after the other.
void multiply_slab(const Slab& slab, int64_t row, int64_t last_row, int64_t first, int64_t last) {
  alignas(HWY_MAX_BYTES) float room[kKeptRows * kDepth];
  const bool together = slab.changes_a() || (slab.strip.a_row == 1 && last - first > 4);
  const int64_t blocks = std::max<int64_t>(1, (last_row - row + kKeptRows - 1) / kKeptRows);
  const int64_t most = together ? (last_row - row + blocks - 1) / blocks : kKeptRows;
  for (; row < last_row; row += most) {
    const int64_t rows = std::min(most, last_row - row), next = std::min(rows, last_row - row - rows);
    Strip kept = slab.strip;
    kept.a += row * kept.a_row;
    const float* soon = kept.a + rows * kept.a_row;
    const bool asks = kept.a_row != 1 && kept.depth >= kDeep && next > 0;
    if (together) bring_together(slab, kept, rows, room);
    for (int64_t i = first; i < last; ++i) {
      const int64_t column = slab.cut.column(i);
      if (column >= slab.n) break;
      Strip s = kept;
      s.b += column * slab.packed_depth;
      if (s.bias) s.bias += column;
      s.c += row * s.c_stride + column;
      s.width = slab.cut.width(i);
      s.columns = std::min(s.width, slab.n - column);
      if (asks) ask_for(s, soon, next, i - first, last - first);
      multiply_strip(s, rows);
    }
  }
}

// How deep the slab is that starts at `done`. All are the same, but for the last.
int64_t depth_of(int64_t k, int64_t done = 0) {
  const int64_t slabs = (k + kDepth - 1) / kDepth;
  return std::min((k + slabs - 1) / slabs, k - done);
}

int64_t count_strips_elements(int64_t n, int64_t k) { return Cut(n).vectors * lanes() * k; }

Slab first_slab(int64_t n, const Cut& cut, float alpha, Operand<float> a, float* c, int64_t c_stride, Factors factors) {
  Slab slab{{}, cut, a.map, factors, n};
  slab.strip.a_row = a.transposed ? 1 : a.stride;
  slab.strip.a_column = a.transposed ? a.stride : 1;
  slab.strip.alpha = alpha;
  slab.strip.c = c;
  slab.strip.c_stride = c_stride;
  return slab;
}

void move_to(Slab& slab, Operand<float> a, int64_t k, int64_t done, float beta, const float* bias) {
  slab.strip.depth = slab.packed_depth = depth_of(k, done);
  slab.strip.a = a.data + done * slab.strip.a_column;
  slab.strip.beta = done == 0 ? beta : 1;
  slab.strip.bias = done == 0 ? bias : nullptr;
}

void pack_all(int64_t n, int64_t k, Operand<float> b, float* strips, Factors factors) {
  Slab slab{{}, Cut(n), {}, factors, n};
  for (int64_t done = 0; done < k; done += slab.strip.depth) {
    slab.strip.depth = depth_of(k, done);
    pack_slab(slab, rows_from(b, done), strips + count_strips_elements(n, done));
  }
}

void multiply_all(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, const Strips& b, float beta, float* c,
                  int64_t c_stride) {
  Slab slab = first_slab(n, Cut(b.n), alpha, a, c, c_stride, b.factors);
  for (int64_t done = 0; done < k; done += slab.strip.depth) {
    move_to(slab, a, b.k, done, beta, nullptr);
    slab.strip.b = b.data + count_strips_elements(b.n, done);
    slab.strip.depth = std::min(slab.strip.depth, k - done);
    multiply_slab(slab, 0, m, 0, slab.cut.strips);
  }
}

// How a slab's part of C is cut into tasks.
struct Tasks {
  int64_t rows, strips;            // of one
  int64_t row_tasks, strip_tasks;  // how many
  bool by_rows;                    // neighbours share their rows, so that what passes by again and again is smaller

  Tasks(int64_t m, int64_t n, int64_t all, int64_t depth) : by_rows(m >= n) {
    constexpr int64_t kMostRows = kManyRegisters ? 288 : 144, kMostStrips = 32 / kWide;
    const double flops = flops_of(m, n, depth);
    const int64_t pieces = flops < 4e6 ? 1 : flops < 8e6 ? 2 : flops < 2e7 ? 4 : 8;
    const int64_t blocks = (m + kWideRows - 1) / kWideRows;
    rows = std::clamp<int64_t>((blocks + pieces - 1) / pieces, 1, kMostRows / kWideRows) * kWideRows;
    row_tasks = (m + rows - 1) / rows;
    strips = std::clamp<int64_t>(all * row_tasks / pieces, 1, kMostStrips);
    strip_tasks = (all + strips - 1) / strips;
  }
};

void run_strip_gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta,
                    float* c, int64_t c_stride, const float* bias, Factors factors) {
  Slab slab = first_slab(n, Cut(n), alpha, a, c, c_stride, factors);
  const int64_t strips = slab.cut.strips;
  const Tasks tasks(m, n, strips, depth_of(k));
  float* room = aligned_scratch<float>(Room::strips, count_strips_elements(n, depth_of(k)));
  slab.strip.b = room;
  for (int64_t done = 0; done < k; done += slab.strip.depth) {
    move_to(slab, a, k, done, beta, bias);
    pack_slab(slab, rows_from(b, done), room);
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
                int64_t c_stride, const float* bias, Factors factors) noexcept {
  HWY_DYNAMIC_DISPATCH(run_strip_gemm)(m, n, k, alpha, a, b, beta, c, c_stride, bias, factors);
}

int64_t strips_size(int64_t n, int64_t k) noexcept { return HWY_DYNAMIC_DISPATCH(count_strips_elements)(n, k); }

Strips pack_strips(int64_t n, int64_t k, Operand<float> b, float* room, Factors factors) noexcept {
  HWY_DYNAMIC_DISPATCH(pack_all)(n, k, b, room, factors);
  return {room, n, k, factors};
}

void multiply_strips(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, const Strips& b, float beta,
                     float* c, int64_t c_stride) noexcept {
  HWY_DYNAMIC_DISPATCH(multiply_all)(m, n, k, alpha, a, b, beta, c, c_stride);
}

}  // namespace mixtape::kernels
#endif

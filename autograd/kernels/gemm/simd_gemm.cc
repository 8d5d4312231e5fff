#include "autograd/kernels/gemm/simd_gemm.h"

#include <hwy/cache_control.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/elementwise.h"
#include "autograd/kernels/gemm/cuts.h"
#include "autograd/kernels/gemm/tuning.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/workspace.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/gemm/simd_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/bf16-inl.h"
#include "autograd/kernels/simd-inl.h"
#include "autograd/kernels/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

using F = Wide<float>;
using Vector = hn::Vec<F>;
using Product = GemmArguments<float>;

// Register blocking. Micro-kernels of 32 (AVX-512) or 16 registers keep MR x NR sums: kWideMr rows of kWideVectors
// vectors, or kNarrowMr rows of two. The wide one loads less per multiply-add. From packed rows of A, kPackedMr rows
// meet kPackedVectors vectors at a time.
constexpr bool kManyRegisters = HWY_MAX_BYTES == 64;
constexpr int kWideVectors = kManyRegisters ? 3 : 2, kWideMr = kManyRegisters ? 8 : 6;
constexpr int kNarrowMr = kManyRegisters ? 12 : 6;
constexpr int kPackedMr = kManyRegisters ? 24 : 6, kPackedVectors = kManyRegisters ? 1 : 2;
constexpr int64_t kKc = tuning::kF32Kc;

HWY_INLINE int64_t lanes() { return static_cast<int64_t>(hn::Lanes(F())); }

// How n columns of B are cut into panels: wide ones, then narrow ones, none of a single vector if possible.
struct Panels {
  int64_t vectors, wide, count;

  explicit Panels(int64_t n) : vectors((n + lanes() - 1) / lanes()), wide(vectors / kWideVectors) {
    if (kWideVectors == 3 && vectors % 3 == 1 && wide > 0) --wide;
    count = wide + (vectors - kWideVectors * wide + 1) / 2;
  }
  // The first column of panel i.
  int64_t column(int64_t i) const {
    return lanes() * (i < wide ? kWideVectors * i : std::min(vectors, kWideVectors * wide + 2 * (i - wide)));
  }
  int64_t width(int64_t i) const { return column(i + 1) - column(i); }
  // Of all panels.
  int64_t elements(int64_t depth) const { return vectors * lanes() * depth; }
};

// Rows of A times a panel of B that is `width` wide, `columns` of it in C.
struct PanelProduct {
  const float* a;
  int64_t a_row, a_column;  // distances of neighbours in a column of A, in a row
  const float* b;
  int64_t depth;
  float alpha, beta;
  const float* bias;
  float* c;
  int64_t c_stride, width, columns;
  bool packed_a = false;  // column by column, kPackedMr rows each
};

// beta C or the bias.
HWY_INLINE Vector start_of(F d, const PanelProduct& p, const float* c, int64_t at) {
  if (p.bias) return hn::LoadU(d, p.bias + at);
  return p.beta == 0 ? hn::Zero(d) : hn::Mul(hn::Set(d, p.beta), hn::LoadU(d, c + at));
}

// Adds the products of one inner index. (Unrolled, lest the sums live in memory.)
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

// The micro-kernel: kRows rows of A times the first kVectors vectors of the panel. Two inner indices an iteration leave
// more of the decoder's width to multiply-adds.
template <int kRows, int kVectors, bool kPackedA>
void multiply_rows(const PanelProduct& p) {
  const F d;
  const int64_t a_row = kPackedA ? 1 : p.a_row, a_column = kPackedA ? kPackedMr : p.a_column, step = lanes();
  for (int r = 0; p.depth >= tuning::kPrefetchDepth && r < kRows; ++r)
    for (int j = 0; j < kVectors; ++j) hwy::Prefetch(p.c + r * p.c_stride + j * step);
  Vector sums[kRows][kVectors];
#pragma GCC unroll 24
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j) sums[r][j] = hn::Zero(d);
  const float *HWY_RESTRICT a = p.a, *HWY_RESTRICT far = a + 4 * a_row, *HWY_RESTRICT farther = far + 4 * a_row;
  const float* HWY_RESTRICT b = p.b;
  const auto element = [&](int r, int64_t column) HWY_ATTR {  // three addresses and four distances reach twelve rows
    const float* from = kPackedA || r < 4 ? a + r * a_row : r < 8 ? far + (r - 4) * a_row : farther + (r - 8) * a_row;
    return from[column];
  };
  const auto add = [&](int64_t column) HWY_ATTR {
    add_products([&](int r) HWY_ATTR { return element(r, column); }, b, sums);
    b += p.width;
  };
  const auto advance = [&](int64_t distance) { a += distance, far += distance, farther += distance; };
  if (p.depth % 2 == 1) {
    add(0);
    advance(a_column);
  }
  for (int64_t pairs = p.depth / 2; pairs > 0; --pairs) {
    add(0);
    add(a_column);
    advance(2 * a_column);
  }
  const Vector alpha = hn::Set(d, p.alpha);
  float* c = p.c;
#pragma GCC unroll 24
  for (int r = 0; r < kRows; ++r, c += p.c_stride) {
#pragma GCC unroll 3
    for (int j = 0; j < kVectors; ++j)
      hn::StoreU(hn::MulAdd(alpha, sums[r][j], start_of(d, p, c, j * step)), d, c + j * step);
  }
}

// `rows` <= kMr rows.
template <int kVectors, int kMr, bool kPackedA>
void multiply_vectors(const PanelProduct& p, int64_t rows) {
  static constexpr auto kByRows = []<size_t... i>(std::index_sequence<i...>) {
    return std::array<void (*)(const PanelProduct&), kMr>{
        multiply_rows<static_cast<int>(i) + 1, kVectors, kPackedA>...};
  }(std::make_index_sequence<kMr>());
  kByRows[static_cast<size_t>(rows - 1)](p);
}

// Whole vectors of the panel.
void multiply_whole(const PanelProduct& p, int64_t vectors, int64_t rows) {
  if (p.packed_a) {
    return vectors == kPackedVectors ? multiply_vectors<kPackedVectors, kPackedMr, true>(p, rows)
                                     : multiply_vectors<1, kPackedMr, true>(p, rows);
  }
  if (vectors == kWideVectors) return multiply_vectors<kWideVectors, kWideMr, false>(p, rows);
  return vectors == 2 ? multiply_vectors<2, kNarrowMr, false>(p, rows) : multiply_vectors<1, kNarrowMr, false>(p, rows);
}

// MR rows or fewer. Where C ends within a vector, by way of a buffer.
void multiply_block(const PanelProduct& p, int64_t rows) {
  const int64_t vectors = (p.columns + lanes() - 1) / lanes(), width = vectors * lanes();
  if (p.columns == width) return multiply_whole(p, vectors, rows);
  float sums[std::max({kWideMr * kWideVectors, kNarrowMr * 2, kPackedMr}) * HWY_MAX_BYTES / sizeof(float)];
  PanelProduct whole = p;
  whole.beta = 0;
  whole.bias = nullptr;
  whole.c = sums;
  whole.c_stride = width;
  multiply_whole(whole, vectors, rows);
  for (int64_t r = 0; r < rows; ++r) {
    float* c = p.c + r * p.c_stride;
    for (int64_t i = 0; i < p.columns; ++i)
      c[i] = sums[r * width + i] + (p.bias ? p.bias[i] : (p.beta == 0 ? 0 : p.beta * c[i]));
  }
}

// All rows times a panel, MR rows at a time, or one group of packed rows, kPackedVectors at a time.
void multiply_panel(PanelProduct p, int64_t rows) {
  if (!p.packed_a) {
    const int64_t mr = p.width == kWideVectors * lanes() ? kWideMr : kNarrowMr;
    for (int64_t done = 0; done < rows; done += mr, p.a += mr * p.a_row, p.c += mr * p.c_stride)
      multiply_block(p, std::min(mr, rows - done));
    return;
  }
  const int64_t width = kPackedVectors * lanes();
  for (int64_t left = p.columns; left > 0; left -= width, p.b += width, p.c += width) {
    p.columns = std::min(left, width);
    multiply_block(p, rows);
    if (p.bias) p.bias += width;
  }
}

// B's columns [column, column + columns), zero-padded to `width`.
void copy_panel(Operand<float> b, int64_t depth, int64_t column, int64_t columns, int64_t width, float* to) {
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

// Applies an operand's function and precision.
void transform(std::optional<Unary> map, Precision precision, float* x, int64_t n) {
  if (map) unary(*map, x, x, n);
  if (precision == Precision::full) return;
  for_lanes<float>(n, [=](auto d, int64_t i)
                          HWY_ATTR { hn::StoreU(hn::BitCast(d, rounded_bits(d, hn::LoadU(d, x + i))), d, x + i); });
}

// The panels of one KC block.
void pack_block(const Panels& panels, int64_t n, int64_t depth, Operand<float> b, Precision precision, float* to) {
  parallel_for(panels.count, grain_for(depth * kWideVectors * lanes(), tuning::kPackElements),
               [&](int64_t first, int64_t last) {
                 for (int64_t i = first; i < last; ++i) {
                   const int64_t column = panels.column(i), width = panels.width(i);
                   float* panel = to + column * depth;
                   copy_panel(b, depth, column, std::min(width, n - column), width, panel);
                   transform(b.map, precision, panel, depth * width);
                 }
               });
}

// The first of the KC blocks from `done` on; all but the last one are equal.
int64_t block_depth(int64_t k, int64_t done = 0) {
  const int64_t blocks = (k + kKc - 1) / kKc;
  return std::min((k + blocks - 1) / blocks, k - done);
}

// A KC block of a product and its panels of B.
struct Block {
  Product product;  // a, beta, bias and k are the block's
  Panels panels;
  const float* b;
  int64_t b_depth;  // of the panels in memory, at least product.k
  Precision precision;

  bool transforms_a() const { return product.a.map || precision == Precision::bf16; }
};

// Packs some rows of A. Of a transposed A, each element of a row may be on another page.
void pack_rows(const Block& block, PanelProduct& p, int64_t rows, float* to) {
  if (rows < kPackedMr && block.transforms_a()) std::fill_n(to, p.depth * kPackedMr, 0.0F);
  if (p.a_row == 1) {
    for (int64_t k = 0; k < p.depth; ++k) std::copy_n(p.a + k * p.a_column, rows, to + k * kPackedMr);
  } else {
    transpose_rows(p.a, p.a_row, rows, p.depth, to, kPackedMr);
  }
  transform(block.product.a.map, block.precision, to, p.depth * kPackedMr);
  p.a = to;
  p.packed_a = true;
}

// Prefetches part i of `parts` of the rows of A to come.
void prefetch_rows(const PanelProduct& p, const float* a, int64_t rows, int64_t i, int64_t parts) {
  constexpr int64_t kLine = 16;
  const int64_t lines = (p.depth + kLine - 1) / kLine;
  for (int64_t line = i * lines / parts; line < (i + 1) * lines / parts; ++line)
    for (int64_t row = 0; row < rows; ++row) hwy::Prefetch(a + row * p.a_row + line * kLine);
}

PanelProduct first_panel(const Block& block) {
  const Product& p = block.product;
  return {.a = p.a.data,
          .a_row = p.a.transposed ? 1 : p.a.stride,
          .a_column = p.a.transposed ? p.a.stride : 1,
          .b = block.b,
          .depth = p.k,
          .alpha = p.alpha,
          .beta = p.beta,
          .bias = p.bias,
          .c = p.c,
          .c_stride = p.c_stride,
          .width = 0,
          .columns = 0};
}

// C's rows [row, last_row) of the panels [first, last), kPackedMr rows of A after the other.
void multiply_rows_by_panels(const Block& block, int64_t row, int64_t last_row, int64_t first, int64_t last) {
  alignas(HWY_MAX_BYTES) float packed[kPackedMr * kKc];
  const PanelProduct all = first_panel(block);
  const bool packs = block.transforms_a() || (all.a_row == 1 && last - first > tuning::kPanelsToPackA);
  const int64_t groups = std::max<int64_t>(1, (last_row - row + kPackedMr - 1) / kPackedMr);
  const int64_t group = packs ? (last_row - row + groups - 1) / groups : kPackedMr;
  for (; row < last_row; row += group) {
    const int64_t rows = std::min(group, last_row - row), next = std::min(rows, last_row - row - rows);
    PanelProduct these = all;
    these.a += row * all.a_row;
    const float* next_rows = these.a + rows * all.a_row;
    const bool prefetches = all.a_row != 1 && all.depth >= tuning::kPrefetchDepth && next > 0;
    if (packs) pack_rows(block, these, rows, packed);
    for (int64_t i = first; i < last; ++i) {
      const int64_t column = block.panels.column(i);
      if (column >= block.product.n) break;
      PanelProduct p = these;
      p.b += column * block.b_depth;
      if (p.bias) p.bias += column;
      p.c += row * p.c_stride + column;
      p.width = block.panels.width(i);
      p.columns = std::min(p.width, block.product.n - column);
      if (prefetches) prefetch_rows(p, next_rows, next, i - first, last - first);
      multiply_panel(p, rows);
    }
  }
}

TaskGrid grid_of(const Product& p, const Panels& panels) {
  constexpr int64_t kShare = kManyRegisters ? 1 : 2;
  const int64_t depth = block_depth(p.k), row_bytes = depth * static_cast<int64_t>(sizeof(float));
  const int64_t max_rows = tuning::kTaskABytes / kShare / row_bytes;
  const int64_t max_panels = tuning::kTaskBBytes / kShare / (row_bytes * lanes() * kWideVectors);
  return {p.m, p.n, depth, panels.count, kWideMr, max_rows, max_panels, threads()};
}

void multiply(const Product& p, Precision precision) {
  const Panels panels(p.n);
  const TaskGrid tasks = grid_of(p, panels);
  float* packed = workspace<float>(Workspace::packed_b, panels.elements(block_depth(p.k)));
  for (int64_t done = 0, depth = 0; done < p.k; done += depth) {
    depth = block_depth(p.k, done);
    const Block block{p.inner(done, depth), panels, packed, depth, precision};
    pack_block(panels, p.n, depth, block.product.b, precision, packed);
    parallel_for(tasks.count(), 1, [&](int64_t task, int64_t) {
      const int64_t row = tasks.row(task), panel = tasks.panel(task);
      multiply_rows_by_panels(block, row, std::min(p.m, row + tasks.rows), panel,
                              std::min(panels.count, panel + tasks.panels));
    });
  }
}

int64_t packed_size(int64_t n, int64_t k) { return Panels(n).elements(k); }

void pack_all(int64_t n, int64_t k, Operand<float> b, float* to, Precision precision) {
  const Panels panels(n);
  for (int64_t done = 0, depth = 0; done < k; done += depth) {
    depth = block_depth(k, done);
    pack_block(panels, n, depth, rows_from(b, done), precision, to + panels.elements(done));
  }
}

void multiply_packed(const Product& p, const SimdPackedB& b) {
  const Panels panels(b.n);
  for (int64_t done = 0; done < p.k; done += block_depth(b.k, done)) {
    const int64_t b_depth = block_depth(b.k, done), depth = std::min(b_depth, p.k - done);
    const Block block{p.inner(done, depth), panels, b.data + panels.elements(done), b_depth, b.precision};
    multiply_rows_by_panels(block, 0, p.m, 0, panels.count);
  }
}

bool has_wide_vectors() { return hn::Lanes(F()) >= 8; }

}  // namespace
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {

bool prefers_simd_gemm(int64_t m, int64_t n, int64_t k) noexcept {
  const bool packing_pays = m >= tuning::kSimdMinRows || n * k <= tuning::kSimdSmallB;
  return k > 0 && packing_pays && MIXTAPE_KERNEL(has_wide_vectors)();
}

void simd_gemm(const GemmArguments<float>& product, Precision precision) noexcept {
  MIXTAPE_KERNEL(multiply)(product, precision);
}

int64_t packed_b_size(int64_t n, int64_t k) noexcept { return MIXTAPE_KERNEL(packed_size)(n, k); }

SimdPackedB simd_pack_b(int64_t n, int64_t k, Operand<float> b, float* to, Precision precision) noexcept {
  MIXTAPE_KERNEL(pack_all)(n, k, b, to, precision);
  return {to, n, k, precision};
}

void simd_multiply(const GemmArguments<float>& product, const SimdPackedB& b) noexcept {
  MIXTAPE_KERNEL(multiply_packed)(product, b);
}

}  // namespace mixtape::kernels
#endif

#include "autograd/kernels/bf16_gemm.h"

#include <algorithm>

#include "autograd/kernels/bf16_tiles.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/bf16_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

// y = x with the 16 low bits of each number rounded away. A NaN stays one.
void round_to_bf16(const float* x, float* y, int64_t n) {
  for_lanes<float>(n, [=](auto d, int64_t i) HWY_ATTR {
    const hn::RebindToUnsigned<decltype(d)> du;
    const auto v = hn::LoadU(d, x + i);
    const auto bits = hn::BitCast(du, v);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1U));
    const auto rounded = hn::And(hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7fffU))), hn::Set(du, 0xffff0000U));
    hn::StoreU(hn::IfThenElse(hn::IsNaN(v), v, hn::BitCast(d, rounded)), d, y + i);
  });
}

bool has_512_bits() { return HWY_MAX_BYTES >= 64; }

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(round_to_bf16);
HWY_EXPORT(has_512_bits);

struct Product {
  int64_t m, n, k;
  float alpha;
  Operand<float> a, b;
  float beta;
  float* c;
  int64_t c_stride;
  const float* bias;
};

int forced = -1;  // index into bf16_instruction_sets(), or -1: the best

const Bf16Tiles* tiles_in_use() {
  const std::vector<Bf16Tiles>& all = bf16_tiles();
  const auto index = static_cast<size_t>(std::max(forced, 0));
  return index < all.size() && HWY_DYNAMIC_DISPATCH(has_512_bits)() ? &all[index] : nullptr;
}

constexpr int64_t kDepth = 1024;                       // of the panels that are multiplied in one go
constexpr int64_t kRowPanels = 8, kColumnPanels = 16;  // of a task
constexpr int64_t kLine = 32;                          // bfloat16 numbers of a cache line

int64_t panels_for(int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

uint16_t* aligned_room(int slot, int64_t elements) {
  uint16_t* room = scratch<uint16_t>(slot, elements + kLine);
  const auto past = static_cast<int64_t>(reinterpret_cast<uintptr_t>(room) / sizeof(uint16_t)) % kLine;
  return room + (kLine - past) % kLine;
}

// The inner sizes [from, from + depth) of a product, as panels.
struct Slab {
  int64_t from, depth, tiles;
  uint16_t *a, *b;

  int64_t panel() const { return tiles * kTileElements; }
};

void pack(const Bf16Tiles& tiles, const Product& p, const Slab& s, int64_t panel) {
  const int64_t a_panels = panels_for(p.m);
  const bool is_a = panel < a_panels;
  const int64_t index = is_a ? panel : panel - a_panels, row = index * kPanelRows;
  const Operand<float>& x = is_a ? p.a : p.b;
  const bool across = is_a ? x.transposed : !x.transposed;
  const float* data = across ? x.data + s.from * x.stride + row : x.data + row * x.stride + s.from;
  const PanelSource source{data, x.stride, across, std::min(kPanelRows, (is_a ? p.m : p.n) - row), s.depth};
  (is_a ? tiles.pack_rows : tiles.pack_columns)(source, (is_a ? s.a : s.b) + index * s.panel());
}

// What a task adds to C: kRowPanels x kColumnPanels, two by two.
void multiply(const Bf16Tiles& tiles, const Product& p, const Slab& s, int64_t first_row, int64_t first_column) {
  const int64_t last_row = std::min(panels_for(p.m), first_row + kRowPanels);
  const int64_t last_column = std::min(panels_for(p.n), first_column + kColumnPanels);
  tiles.begin();
  for (int64_t j = first_column; j < last_column; j += 2) {
    for (int64_t i = first_row; i < last_row; i += 2) {
      const int64_t row = i * kPanelRows, column = j * kPanelRows;
      const PanelProduct product{.a = s.a + i * s.panel(),
                                 .b = s.b + j * s.panel(),
                                 .tiles = s.tiles,
                                 .alpha = p.alpha,
                                 .beta = s.from == 0 ? p.beta : 1,
                                 .bias = p.bias && s.from == 0 ? p.bias + column : nullptr,
                                 .c = p.c + row * p.c_stride + column,
                                 .c_stride = p.c_stride,
                                 .rows = std::min(2 * kPanelRows, p.m - row),
                                 .columns = std::min(2 * kPanelRows, p.n - column)};
      tiles.multiply(product);
    }
  }
  tiles.end();
}

void multiply_in_tiles(const Bf16Tiles& tiles, const Product& p) noexcept {
  const int64_t slabs = (p.k + kDepth - 1) / kDepth;
  const int64_t depth = ((p.k + slabs - 1) / slabs + kTileDepth - 1) / kTileDepth * kTileDepth;
  const int64_t a_panels = panels_for(p.m), b_panels = panels_for(p.n);
  const int64_t column_tasks = (b_panels + kColumnPanels - 1) / kColumnPanels;
  const int64_t tasks = (a_panels + kRowPanels - 1) / kRowPanels * column_tasks;
  Slab slab{.from = 0, .depth = 0, .tiles = 0, .a = aligned_room(0, a_panels * kPanelRows * depth), .b = nullptr};
  slab.b = aligned_room(1, b_panels * kPanelRows * depth);
  for (; slab.from < p.k; slab.from += depth) {
    slab.depth = std::min(depth, p.k - slab.from);
    slab.tiles = (slab.depth + kTileDepth - 1) / kTileDepth;
    parallel_for(a_panels + b_panels, grain_for(slab.panel()), [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) pack(tiles, p, slab, i);
    });
    parallel_for(tasks, 1, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i)
        multiply(tiles, p, slab, i / column_tasks * kRowPanels, i % column_tasks * kColumnPanels);
    });
  }
}

Operand<float> rounded(Operand<float> x, int64_t rows, int64_t columns, int slot) {
  const int64_t height = x.transposed ? columns : rows, width = x.transposed ? rows : columns;
  float* room = scratch<float>(slot, height * width);
  const auto run = HWY_DYNAMIC_DISPATCH(round_to_bf16);
  parallel_for(height, grain_for(width), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) run(x.data + row * x.stride, room + row * width, width);
  });
  return {room, width, x.transposed};
}

}  // namespace

void bf16_gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
               int64_t c_stride, const float* bias) noexcept {
  const Bf16Tiles* tiles = tiles_in_use();
  if (tiles && m > 0 && n > 0 && k > 0)
    return multiply_in_tiles(*tiles, {m, n, k, alpha, a, b, beta, c, c_stride, bias});
  gemm(m, n, k, alpha, rounded(a, m, k, 4), rounded(b, k, n, 5), beta, c, c_stride, bias);
}

void bf16_gemm_batch(int64_t batch, int64_t m, int64_t n, int64_t k, Operand<float> a, const int64_t* a_offsets,
                     Operand<float> b, const int64_t* b_offsets, float* c) noexcept {
  parallel_for(batch, batch == 1 ? 1 : grain_for(m * n * k, 1 << 21), [=](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      bf16_gemm(m, n, k, 1, {a.data + a_offsets[i], a.stride, a.transposed},
                {b.data + b_offsets[i], b.stride, b.transposed}, 0, c + i * m * n, n);
    }
  });
}

std::vector<std::string> bf16_instruction_sets() {
  std::vector<std::string> names;
  for (const Bf16Tiles& tiles : bf16_tiles()) names.emplace_back(tiles.name);
  names.emplace_back("f32");
  return names;
}

std::string bf16_instruction_set() {
  const Bf16Tiles* tiles = tiles_in_use();
  return tiles ? tiles->name : "f32";
}

bool force_bf16_instruction_set(const std::string& name) {
  const std::vector<std::string> names = bf16_instruction_sets();
  const auto found = std::find(names.begin(), names.end(), name);
  if (!name.empty() && found == names.end()) return false;
  forced = name.empty() ? -1 : static_cast<int>(found - names.begin());
  return true;
}

}  // namespace mixtape::kernels
#endif

#include "autograd/kernels/bf16_gemm.h"

#include <algorithm>

#include "autograd/kernels/bf16_tiles.h"
#include "autograd/kernels/instruction_set.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/bf16_gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/bf16-inl.h"
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

// y = x rounded, as f32.
void round_numbers(const float* x, float* y, int64_t n) {
  for_lanes<float>(n, [=](auto d, int64_t i)
                          HWY_ATTR { hn::StoreU(hn::BitCast(d, rounded_bits(d, hn::LoadU(d, x + i))), d, y + i); });
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(round_numbers);

int forced = -1;  // index into bf16_instruction_sets(), or -1: the best

Operand<float> rounded(Operand<float> x, int64_t rows, int64_t columns, Room room) {
  const int64_t height = x.transposed ? columns : rows, width = x.transposed ? rows : columns;
  float* rounded = scratch<float>(room, height * width);
  const auto run = HWY_DYNAMIC_DISPATCH(round_numbers);
  parallel_for(height, grain_for(width), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) run(x.data + row * x.stride, rounded + row * width, width);
  });
  return {rounded, width, x.transposed};
}

}  // namespace

const PanelKernels* bf16_panels() noexcept {
  const std::vector<PanelKernels>& all = bf16_tiles();
  const auto index = static_cast<size_t>(std::max(forced, 0));
  return index < all.size() && vector_bits() >= 512 ? &all[index] : nullptr;
}

void bf16_gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
               int64_t c_stride, const float* bias) noexcept {
  const PanelKernels* tiles = bf16_panels();
  if (tiles && m > 0 && n > 0 && k > 0) return panel_gemm(*tiles, {m, n, k, alpha, a, b, beta, c, c_stride, bias});
  gemm(m, n, k, alpha, rounded(mapped(a, m, k, Room::mapped_left), m, k, Room::rounded_left),
       rounded(mapped(b, k, n, Room::mapped_right), k, n, Room::rounded_right), beta, c, c_stride, bias);
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
  for (const auto& tiles : bf16_tiles()) names.emplace_back(tiles.name);
  names.emplace_back("f32");
  return names;
}

std::string bf16_instruction_set() {
  const PanelKernels* tiles = bf16_panels();
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

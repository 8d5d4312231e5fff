#include "autograd/kernels/gemm/bf16_gemm.h"

#include <algorithm>

#include "autograd/kernels/gemm/bf16_tiles.h"
#include "autograd/kernels/gemm/simd_gemm.h"
#include "autograd/kernels/instruction_set.h"
#include "autograd/kernels/parallel.h"

namespace mixtape::kernels {
namespace {

struct Choice {
  std::string name;
  const PanelKernels* panels;  // nullptr: strips
};

// Best first.
const std::vector<Choice>& choices() {
  static const std::vector<Choice> all = [] {
    std::vector<Choice> found;
    const auto add = [&](bool quick) {
      for (const PanelKernels& tiles : bf16_tiles())
        if (quicker_than_multiply_adds(tiles) == quick) found.push_back({tiles.name, &tiles});
    };
    add(true);
    found.push_back({"f32", nullptr});
    add(false);
    return found;
  }();
  return all;
}

int forced = -1;  // index into choices(), or -1: the best

}  // namespace

const PanelKernels* bf16_panels() noexcept {
  return vector_bits() >= 512 ? choices()[static_cast<size_t>(std::max(forced, 0))].panels : nullptr;
}

void bf16_gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
               int64_t c_stride, const float* bias) noexcept {
  const PanelKernels* tiles = bf16_panels();
  if (tiles && m > 0 && n > 0 && k > 0) return panel_gemm(*tiles, {m, n, k, alpha, a, b, beta, c, c_stride, bias});
  if (k > 0) return strip_gemm(m, n, k, alpha, a, b, beta, c, c_stride, bias, Factors::bf16);
  gemm(m, n, k, alpha, a, b, beta, c, c_stride, bias);
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
  for (const Choice& choice : choices()) names.push_back(choice.name);
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

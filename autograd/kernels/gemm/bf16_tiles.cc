#include "autograd/kernels/gemm/bf16_tiles.h"

#include <algorithm>
#include <cstring>

#include "autograd/kernels/gemm/tuning.h"
#include "autograd/kernels/gemm/x86_tiles.h"
#include "autograd/kernels/instruction_set.h"

namespace mixtape::kernels {
namespace {

#if defined(MIXTAPE_X86_TILES)

using namespace x86;

// 16 rows of 32 elements, contiguous along the depth: vector r is row r.
MIXTAPE_AVX512_BF16 inline void load_rows(const PanelSource& s, int64_t from, __m512i* v) {
  const __mmask16 low = first_lanes(s.depth - from), high = first_lanes(s.depth - from - 16);
  for (int64_t r = 0; r < kHalf; ++r) {
    if (r >= s.rows) {
      v[r] = _mm512_setzero_si512();
      continue;
    }
    const float* row = s.data + r * s.stride + from;
    const __m512 first = _mm512_maskz_loadu_ps(low, row), second = _mm512_maskz_loadu_ps(high, row + 16);
    v[r] = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
  }
}

// The same of a transposed source: vector p holds the pairs of elements 2p and 2p + 1 of the 16 rows.
MIXTAPE_AVX512_BF16 inline void load_columns(const PanelSource& s, int64_t from, __m512i* v) {
  const __mmask16 lanes = first_lanes(s.rows);
  const __m512i pairs = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                         5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  for (int64_t p = 0; p < kTileDepth / 2; ++p) {
    const int64_t k = from + 2 * p;
    const float* at = s.data + k * s.stride;
    const __m512 even = k < s.depth ? _mm512_maskz_loadu_ps(lanes, at) : _mm512_setzero_ps();
    const __m512 odd = k + 1 < s.depth ? _mm512_maskz_loadu_ps(lanes, at + s.stride) : _mm512_setzero_ps();
    v[p] = _mm512_permutexvar_epi16(pairs, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(odd, even)));
  }
}

MIXTAPE_AVX512_BF16 inline void pack_half(const PanelSource& from, bool transposes, uint16_t* to) {
  __m512i v[16];
  for (int64_t k = 0; k < from.depth; k += kTileDepth, to += kTileElements) {
    if (from.transposed) {
      load_columns(from, k, v);
    } else {
      load_rows(from, k, v);
    }
    if (transposes) transpose(v);
    for (int64_t r = 0; r < kHalf; ++r) _mm512_storeu_si512(to + r * kTileDepth, v[r]);
  }
}

MIXTAPE_AVX512_BF16 bool pack(const PanelSource& from, bool transposes, uint16_t* to) {
  PanelSource half = from;
  for (; half.rows > 0; half.rows -= kHalf) {
    pack_half(half, transposes, to);
    half.data += from.transposed ? kHalf : kHalf * from.stride;
    to += (from.depth + kTileDepth - 1) / kTileDepth * kTileElements;
  }
  return true;
}

bool pack_rows(const PanelSource& from, uint16_t* to) { return pack(from, from.transposed, to); }
bool pack_columns(const PanelSource& from, uint16_t* to) { return pack(from, !from.transposed, to); }

// Adds the dot product of a pair to each of 16 sums. In assembly, as the intrinsic crashes clang 16 in loops.
MIXTAPE_AVX512_BF16 inline void add_products(__m512& sum, __m512i x, __m512i y) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(x), "v"(y));
}

// Eight rows of A times one or two halves of a panel of B.
template <int kHalves>
MIXTAPE_AVX512_BF16 void multiply_eight_rows(const uint16_t* a, const uint16_t* b, int64_t b_half, int64_t tiles,
                                             float* sums) {
  constexpr int kRows = 8;
  __m512 sum[kRows][kHalves];
  for (int r = 0; r < kRows; ++r)
    for (int j = 0; j < kHalves; ++j) sum[r][j] = _mm512_setzero_ps();
  for (int64_t i = 0; i < tiles * kTileDepth / 2; ++i) {
    const uint16_t* pairs = b + i * 2 * kHalf;
    const uint16_t* numbers = a + i / 16 * kTileElements + i % 16 * 2;
    __m512i columns[kHalves];
    for (int j = 0; j < kHalves; ++j) columns[j] = _mm512_loadu_si512(pairs + j * b_half);
    for (int r = 0; r < kRows; ++r) {
      int32_t pair = 0;
      std::memcpy(&pair, numbers + r * kTileDepth, sizeof(pair));
      const __m512i row = _mm512_set1_epi32(pair);
      for (int j = 0; j < kHalves; ++j) add_products(sum[r][j], row, columns[j]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int j = 0; j < kHalves; ++j) _mm512_storeu_ps(sums + r * kPanel + j * kHalf, sum[r][j]);
}

MIXTAPE_AVX512_BF16 void multiply_avx512(const PanelProduct& p) {
  const int64_t tiles = p.depth / kTileDepth, a_half = p.a_depth * kHalf, b_half = p.b_depth * kHalf;
  alignas(64) float sums[kPanel * kPanel];
  for (int64_t row = 0; row < p.rows; row += 8) {
    const uint16_t* a = p.a + row / kHalf * a_half + row % kHalf * kTileDepth;
    if (p.columns > kHalf) {
      multiply_eight_rows<2>(a, p.b, b_half, tiles, sums + row * kPanel);
    } else {
      multiply_eight_rows<1>(a, p.b, b_half, tiles, sums + row * kPanel);
    }
  }
  finish(p, sums);
}

void nothing() {}

// Whether it does more than f32 multiply-adds. AMD's CPUs start one AVX512_BF16 dot product of pairs a cycle; Intel's
// one in two cycles, and two multiply-adds a cycle.
bool is_faster_than_simd(const MicroKernel& kernel) {
  return kernel.multiply == multiply_amx<1> || !__builtin_cpu_is("intel");
}

std::vector<MicroKernel> micro_kernels() {
  if (!has_avx512_bf16()) return {};
  MicroKernel kernel{.name = "AVX512_BF16",
                     .mr = kPanel,
                     .nr = kPanel,
                     .terms = 1,
                     .k_multiple = kTileDepth,
                     .kc = tuning::kBf16Kc,
                     .pack_a = pack_rows,
                     .pack_b = pack_columns,
                     .begin = nothing,
                     .multiply = multiply_avx512,
                     .end = nothing,
                     .multiply_unpacked = nullptr};
  std::vector<MicroKernel> found = {kernel};
  if (has_amx_bf16()) {
    kernel.name = "AMX";
    kernel.begin = begin_amx, kernel.multiply = multiply_amx<1>, kernel.end = end_amx;
    found.insert(found.begin(), kernel);
  }
  return found;
}

#else

bool is_faster_than_simd(const MicroKernel&) { return true; }
std::vector<MicroKernel> micro_kernels() { return {}; }

#endif

struct Choice {
  std::string name;
  const MicroKernel* kernel;
};

// The fastest first.
const std::vector<Choice>& choices() {
  static const std::vector<MicroKernel> kernels = micro_kernels();
  static const std::vector<Choice> all = [] {
    std::vector<Choice> found;
    for (const MicroKernel& kernel : kernels)
      if (is_faster_than_simd(kernel)) found.push_back({kernel.name, &kernel});
    found.push_back({"f32", nullptr});
    for (const MicroKernel& kernel : kernels)
      if (!is_faster_than_simd(kernel)) found.push_back({kernel.name, &kernel});
    return found;
  }();
  return all;
}

size_t chosen = 0;

}  // namespace

const MicroKernel* bf16_micro_kernel() noexcept { return vector_bits() >= 512 ? choices()[chosen].kernel : nullptr; }

std::vector<std::string> bf16_instruction_sets() {
  std::vector<std::string> names;
  for (const Choice& choice : choices()) names.push_back(choice.name);
  return names;
}

std::string bf16_instruction_set() {
  const MicroKernel* kernel = bf16_micro_kernel();
  return kernel ? kernel->name : "f32";
}

bool force_bf16_instruction_set(const std::string& name) {
  const std::vector<std::string> names = bf16_instruction_sets();
  const auto found = name.empty() ? names.begin() : std::find(names.begin(), names.end(), name);
  if (found == names.end()) return false;
  chosen = static_cast<size_t>(found - names.begin());
  return true;
}

}  // namespace mixtape::kernels

#include "autograd/kernels/gemm/bf16_tiles.h"

#include "autograd/kernels/gemm/x86_tiles.h"

#if defined(MIXTAPE_X86_TILES)

#include <cstring>

namespace mixtape::kernels {
namespace {

using namespace x86;

constexpr int64_t kDepth = 1024;  // of two panels in the second cache

// 16 rows of 32 numbers that lie along memory: vector r is row r.
MIXTAPE_AVX512_BF16 inline void load_along(const PanelSource& s, int64_t from, __m512i* v) {
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

// The same of numbers that lie across: vector p holds numbers 2p and 2p + 1 of each of the 16 rows, in pairs.
MIXTAPE_AVX512_BF16 inline void load_across(const PanelSource& s, int64_t from, __m512i* v) {
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

MIXTAPE_AVX512_BF16 inline void pack_half(const PanelSource& from, bool transposed, uint16_t* to) {
  __m512i v[16];
  for (int64_t k = 0; k < from.depth; k += kTileDepth, to += kTileElements) {
    if (from.across) {
      load_across(from, k, v);
    } else {
      load_along(from, k, v);
    }
    if (transposed) transpose(v);
    for (int64_t r = 0; r < kHalf; ++r) _mm512_storeu_si512(to + r * kTileDepth, v[r]);
  }
}

MIXTAPE_AVX512_BF16 bool pack(const PanelSource& from, bool transposed, uint16_t* to) {
  PanelSource half = from;
  for (; half.rows > 0; half.rows -= kHalf) {
    pack_half(half, transposed, to);
    half.data += from.across ? kHalf : kHalf * from.stride;
    to += (from.depth + kTileDepth - 1) / kTileDepth * kTileElements;
  }
  return true;
}

bool pack_rows(const PanelSource& from, uint16_t* to) { return pack(from, from.across, to); }
bool pack_columns(const PanelSource& from, uint16_t* to) { return pack(from, !from.across, to); }

// Each of 16 sums gets the products of two pairs. The compiler's own function for it makes clang 16 crash in loops.
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

}  // namespace

const std::vector<PanelKernels>& bf16_tiles() {
  static const std::vector<PanelKernels> all = [] {
    std::vector<PanelKernels> found;
    if (!has_avx512_bf16()) return found;
    if (has_amx_bf16())
      found.push_back({"AMX", kPanel, kPanel, 1, kTileDepth, kDepth, pack_rows, pack_columns, begin_amx,
                       multiply_amx<1>, end_amx, nullptr});
    found.push_back({"AVX512_BF16", kPanel, kPanel, 1, kTileDepth, kDepth, pack_rows, pack_columns, nothing,
                     multiply_avx512, nothing, nullptr});
    return found;
  }();
  return all;
}

bool quicker_than_multiply_adds(const PanelKernels& tiles) {
  return tiles.multiply == multiply_amx<1> || !__builtin_cpu_is("intel");
}

}  // namespace mixtape::kernels

#else

namespace mixtape::kernels {
const std::vector<PanelKernels>& bf16_tiles() {
  static const std::vector<PanelKernels> none;
  return none;
}
bool quicker_than_multiply_adds(const PanelKernels&) { return true; }
}  // namespace mixtape::kernels

#endif

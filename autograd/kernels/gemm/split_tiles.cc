#include "autograd/kernels/gemm/split_tiles.h"

#include "autograd/kernels/gemm/simd_gemm.h"
#include "autograd/kernels/gemm/tuning.h"
#include "autograd/kernels/gemm/x86_tiles.h"

namespace mixtape::kernels {

#if defined(MIXTAPE_X86_TILES)

namespace {

using namespace x86;

constexpr int kTerms = 3;

// The upper halves of the elements of two vectors, in pairs.
MIXTAPE_AVX512_BF16 inline __m512i upper_halves(__m512i low, __m512i high) {
  constexpr int kSecondWhereThird = 0xD8;  // of three operands, bit by bit: the third one chooses
  return _mm512_ternarylogic_epi32(_mm512_srli_epi32(low, 16), high, _mm512_set1_epi32(~0xffff), kSecondWhereThird);
}

// The nearest bfloat16, ties away from 0.
MIXTAPE_AVX512_BF16 inline __m512i round_off(__m512i x) {
  return _mm512_and_si512(_mm512_add_epi32(x, _mm512_set1_epi32(0x8000)), _mm512_set1_epi32(~0xffff));
}

MIXTAPE_AVX512_BF16 inline __m512i subtract(__m512i x, __m512i y) {
  return _mm512_castps_si512(_mm512_sub_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(y)));
}

// Subtracts the next term from the elements of two vectors, and returns it, in pairs.
MIXTAPE_AVX512_BF16 inline __m512i take_term(__m512i& low, __m512i& high) {
  const __m512i low_term = round_off(low), high_term = round_off(high);
  low = subtract(low, low_term);
  high = subtract(high, high_term);
  return upper_halves(low_term, high_term);
}

// Writes the terms of the elements of two vectors, each to its tile. `check` becomes NaN if one has no terms.
MIXTAPE_AVX512_BF16 inline void store_terms(__m512i low, __m512i high, __m512& check, uint16_t* to) {
  _mm512_store_si512(to, take_term(low, high));
  _mm512_store_si512(to + kTileElements, take_term(low, high));
  _mm512_store_si512(to + 2 * kTileElements, upper_halves(low, high));
  check = _mm512_fmadd_ps(_mm512_castsi512_ps(low), _mm512_castsi512_ps(high), check);
}

// Prefetches `ahead` elements further on.
MIXTAPE_AVX512_BF16 inline __m512i load(const float* from, __mmask16 lanes, int64_t ahead) {
  _mm_prefetch(reinterpret_cast<const char*>(from + ahead), _MM_HINT_T0);
  return _mm512_castps_si512(_mm512_maskz_loadu_ps(lanes, from));
}

// `rows` vectors, stride apart, zero-padded to 16.
MIXTAPE_AVX512_BF16 inline void load_rows(const float* from, int64_t stride, int64_t rows, __mmask16 lanes,
                                          int64_t ahead, __m512i* v) {
  for (int64_t i = 0; i < 16; ++i) v[i] = i < rows ? load(from + i * stride, lanes, ahead) : _mm512_setzero_si512();
}

// Packing, for contiguous and transposed sources, without and with a transpose on the way. The halves of a panel are
// `half` apart. The result is NaN if an element has no terms.

MIXTAPE_AVX512_BF16 __m512 pack_contiguous(const PanelSource& s, int64_t half, uint16_t* start) {
  __m512 check = _mm512_setzero_ps();
  for (int64_t row = 0; row < s.rows; ++row) {
    const float* from = s.data + row * s.stride;
    uint16_t* to = start + row / kHalf * half + row % kHalf * kTileDepth;
    for (int64_t k = 0; k < s.depth; k += kTileDepth, to += kTerms * kTileElements)
      store_terms(load(from + k, first_lanes(s.depth - k), 2 * s.stride),
                  load(from + k + 16, first_lanes(s.depth - k - 16), 2 * s.stride), check, to);
  }
  return check;
}

MIXTAPE_AVX512_BF16 inline void store_transposed(__m512i* low, __m512i* high, __m512& check, uint16_t* to) {
  transpose(low);
  transpose(high);
  for (int64_t i = 0; i < kHalf; ++i, to += kTileDepth) store_terms(low[i], high[i], check, to);
}

MIXTAPE_AVX512_BF16 __m512 pack_contiguous_transposing(const PanelSource& s, int64_t half, uint16_t* start) {
  __m512 check = _mm512_setzero_ps();
  __m512i low[16], high[16];
  for (int64_t row = 0; row < s.rows; row += kHalf) {
    const float* from = s.data + row * s.stride;
    uint16_t* to = start + row / kHalf * half;
    for (int64_t k = 0; k < s.depth; k += kTileDepth, to += kTerms * kTileElements) {
      load_rows(from + k, s.stride, s.rows - row, first_lanes(s.depth - k), 64, low);
      load_rows(from + k + 16, s.stride, s.rows - row, first_lanes(s.depth - k - 16), 64, high);
      store_transposed(low, high, check, to);
    }
  }
  return check;
}

MIXTAPE_AVX512_BF16 __m512 pack_transposed(const PanelSource& s, int64_t half, uint16_t* start) {
  __m512 check = _mm512_setzero_ps();
  for (int64_t i = 0; i < (s.depth + kTileDepth - 1) / kTileDepth * kHalf; ++i) {
    const int64_t k = i / kHalf * kTileDepth + i % kHalf;
    const float* from = s.data + k * s.stride;
    uint16_t* to = start + i / kHalf * kTerms * kTileElements + i % kHalf * kTileDepth;
    for (int64_t row = 0; row < s.rows; row += kHalf, to += half) {
      const __mmask16 lanes = first_lanes(s.rows - row);
      store_terms(load(from + row, k < s.depth ? lanes : 0, 2 * s.stride),
                  load(from + row + 16 * s.stride, k + 16 < s.depth ? lanes : 0, 2 * s.stride), check, to);
    }
  }
  return check;
}

MIXTAPE_AVX512_BF16 __m512 pack_transposed_transposing(const PanelSource& s, int64_t half, uint16_t* start) {
  __m512 check = _mm512_setzero_ps();
  __m512i low[16], high[16];
  for (int64_t k = 0; k < s.depth; k += kTileDepth) {
    const float* from = s.data + k * s.stride;
    uint16_t* to = start + k * kHalf * kTerms;
    for (int64_t row = 0; row < s.rows; row += kHalf, to += half) {
      const __mmask16 lanes = first_lanes(s.rows - row);
      load_rows(from + row, s.stride, s.depth - k, lanes, 32, low);
      load_rows(from + row + 16 * s.stride, s.stride, s.depth - k - 16, lanes, 32, high);
      store_transposed(low, high, check, to);
    }
  }
  return check;
}

MIXTAPE_AVX512_BF16 bool pack(const PanelSource& from, bool transposes, uint16_t* to) {
  const int64_t half = (from.depth + kTileDepth - 1) / kTileDepth * kTerms * kTileElements;
  const auto run = from.transposed ? (transposes ? pack_transposed_transposing : pack_transposed)
                                   : (transposes ? pack_contiguous_transposing : pack_contiguous);
  const __m512 check = run(from, half, to);
  return _mm512_cmp_ps_mask(check, check, _CMP_UNORD_Q) == 0;
}

MIXTAPE_AVX512_BF16 bool pack_rows(const PanelSource& from, uint16_t* to) { return pack(from, from.transposed, to); }
MIXTAPE_AVX512_BF16 bool pack_columns(const PanelSource& from, uint16_t* to) {
  return pack(from, !from.transposed, to);
}

void multiply_unpacked(const GemmArguments<float>& product) { simd_gemm(product); }

}  // namespace

const MicroKernel* split_micro_kernel() {
  static const MicroKernel amx{.name = "AMX",
                               .mr = kPanel,
                               .nr = kPanel,
                               .terms = kTerms,
                               .k_multiple = kTileDepth,
                               .kc = tuning::kF32Kc,
                               .pack_a = pack_rows,
                               .pack_b = pack_columns,
                               .begin = begin_amx,
                               .multiply = multiply_amx<kTerms>,
                               .end = end_amx,
                               .multiply_unpacked = multiply_unpacked};
  static const bool available = has_amx_bf16();
  return available ? &amx : nullptr;
}

#else

const MicroKernel* split_micro_kernel() { return nullptr; }

#endif

}  // namespace mixtape::kernels

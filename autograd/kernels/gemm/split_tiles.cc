#include "autograd/kernels/gemm/split_tiles.h"

#include "autograd/kernels/gemm/simd_gemm.h"
#include "autograd/kernels/gemm/x86_tiles.h"

namespace mixtape::kernels {

#if defined(MIXTAPE_X86_TILES)

namespace {

using namespace x86;

constexpr int kPieces = 3;
constexpr int64_t kDepth = 256;  // longer sums in tiles are no quicker, and less exact

// The upper halves of the numbers of two vectors, in pairs.
MIXTAPE_AVX512_BF16 inline __m512i upper_halves(__m512i low, __m512i high) {
  constexpr int kSecondWhereThird = 0xD8;  // of three operands, bit by bit: the third one chooses
  return _mm512_ternarylogic_epi32(_mm512_srli_epi32(low, 16), high, _mm512_set1_epi32(~0xffff), kSecondWhereThird);
}

// The nearest bfloat16; in the middle the one farther from 0.
MIXTAPE_AVX512_BF16 inline __m512i round_off(__m512i x) {
  return _mm512_and_si512(_mm512_add_epi32(x, _mm512_set1_epi32(0x8000)), _mm512_set1_epi32(~0xffff));
}

MIXTAPE_AVX512_BF16 inline __m512i subtract(__m512i x, __m512i y) {
  return _mm512_castps_si512(_mm512_sub_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(y)));
}

// What is left of the numbers of two vectors when their next piece is taken away, which is returned, in pairs.
MIXTAPE_AVX512_BF16 inline __m512i take_piece(__m512i& low, __m512i& high) {
  const __m512i low_piece = round_off(low), high_piece = round_off(high);
  low = subtract(low, low_piece);
  high = subtract(high, high_piece);
  return upper_halves(low_piece, high_piece);
}

// Writes the pieces of the numbers of two vectors, each to its tile. In `check` a NaN appears if one has no pieces.
MIXTAPE_AVX512_BF16 inline void store_pieces(__m512i low, __m512i high, __m512& check, uint16_t* to) {
  _mm512_store_si512(to, take_piece(low, high));
  _mm512_store_si512(to + kTileElements, take_piece(low, high));
  _mm512_store_si512(to + 2 * kTileElements, upper_halves(low, high));
  check = _mm512_fmadd_ps(_mm512_castsi512_ps(low), _mm512_castsi512_ps(high), check);
}

// Asks for what lies `ahead` numbers further, too: it will be needed soon.
MIXTAPE_AVX512_BF16 inline __m512i load(const float* from, __mmask16 lanes, int64_t ahead) {
  _mm_prefetch(reinterpret_cast<const char*>(from + ahead), _MM_HINT_T0);
  return _mm512_castps_si512(_mm512_maskz_loadu_ps(lanes, from));
}

// `rows` vectors, stride apart, and 0 for what there is less than 16 of.
MIXTAPE_AVX512_BF16 inline void load_rows(const float* from, int64_t stride, int64_t rows, __mmask16 lanes,
                                          int64_t ahead, __m512i* v) {
  for (int64_t i = 0; i < 16; ++i) v[i] = i < rows ? load(from + i * stride, lanes, ahead) : _mm512_setzero_si512();
}

// The four ways to panels, `half` apart in memory; they return the check of all.

// Numbers of a row of A, or column of B, along memory: row by row.
MIXTAPE_AVX512_BF16 __m512 pack_along(const PanelSource& s, int64_t half, uint16_t* start) {
  __m512 check = _mm512_setzero_ps();
  for (int64_t row = 0; row < s.rows; ++row) {
    const float* from = s.data + row * s.stride;
    uint16_t* to = start + row / kHalf * half + row % kHalf * kTileDepth;
    for (int64_t k = 0; k < s.depth; k += kTileDepth, to += kPieces * kTileElements)
      store_pieces(load(from + k, first_lanes(s.depth - k), 2 * s.stride),
                   load(from + k + 16, first_lanes(s.depth - k - 16), 2 * s.stride), check, to);
  }
  return check;
}

MIXTAPE_AVX512_BF16 inline void store_transposed(__m512i* low, __m512i* high, __m512& check, uint16_t* to) {
  transpose(low);
  transpose(high);
  for (int64_t i = 0; i < kHalf; ++i, to += kTileDepth) store_pieces(low[i], high[i], check, to);
}

MIXTAPE_AVX512_BF16 __m512 pack_along_transposed(const PanelSource& s, int64_t half, uint16_t* start) {
  __m512 check = _mm512_setzero_ps();
  __m512i low[16], high[16];
  for (int64_t row = 0; row < s.rows; row += kHalf) {
    const float* from = s.data + row * s.stride;
    uint16_t* to = start + row / kHalf * half;
    for (int64_t k = 0; k < s.depth; k += kTileDepth, to += kPieces * kTileElements) {
      load_rows(from + k, s.stride, s.rows - row, first_lanes(s.depth - k), 64, low);
      load_rows(from + k + 16, s.stride, s.rows - row, first_lanes(s.depth - k - 16), 64, high);
      store_transposed(low, high, check, to);
    }
  }
  return check;
}

// Numbers of a row that lie across: those of all rows stand side by side.
MIXTAPE_AVX512_BF16 __m512 pack_across(const PanelSource& s, int64_t half, uint16_t* start) {
  __m512 check = _mm512_setzero_ps();
  for (int64_t i = 0; i < (s.depth + kTileDepth - 1) / kTileDepth * kHalf; ++i) {
    const int64_t k = i / kHalf * kTileDepth + i % kHalf;
    const float* from = s.data + k * s.stride;
    uint16_t* to = start + i / kHalf * kPieces * kTileElements + i % kHalf * kTileDepth;
    for (int64_t row = 0; row < s.rows; row += kHalf, to += half) {
      const __mmask16 lanes = first_lanes(s.rows - row);
      store_pieces(load(from + row, k < s.depth ? lanes : 0, 2 * s.stride),
                   load(from + row + 16 * s.stride, k + 16 < s.depth ? lanes : 0, 2 * s.stride), check, to);
    }
  }
  return check;
}

MIXTAPE_AVX512_BF16 __m512 pack_across_transposed(const PanelSource& s, int64_t half, uint16_t* start) {
  __m512 check = _mm512_setzero_ps();
  __m512i low[16], high[16];
  for (int64_t k = 0; k < s.depth; k += kTileDepth) {
    const float* from = s.data + k * s.stride;
    uint16_t* to = start + k * kHalf * kPieces;
    for (int64_t row = 0; row < s.rows; row += kHalf, to += half) {
      const __mmask16 lanes = first_lanes(s.rows - row);
      load_rows(from + row, s.stride, s.depth - k, lanes, 32, low);
      load_rows(from + row + 16 * s.stride, s.stride, s.depth - k - 16, lanes, 32, high);
      store_transposed(low, high, check, to);
    }
  }
  return check;
}

MIXTAPE_AVX512_BF16 bool pack(const PanelSource& from, bool transposed, uint16_t* to) {
  const int64_t half = (from.depth + kTileDepth - 1) / kTileDepth * kPieces * kTileElements;
  const auto run = from.across ? (transposed ? pack_across_transposed : pack_across)
                               : (transposed ? pack_along_transposed : pack_along);
  const __m512 check = run(from, half, to);
  return _mm512_cmp_ps_mask(check, check, _CMP_UNORD_Q) == 0;
}

MIXTAPE_AVX512_BF16 bool pack_rows(const PanelSource& from, uint16_t* to) { return pack(from, from.across, to); }
MIXTAPE_AVX512_BF16 bool pack_columns(const PanelSource& from, uint16_t* to) { return pack(from, !from.across, to); }

void multiply_plainly(const GemmCall& p) {
  strip_gemm(p.m, p.n, p.k, p.alpha, p.a, p.b, p.beta, p.c, p.c_stride, p.bias);
}

}  // namespace

const PanelKernels* split_tiles() {
  static const PanelKernels amx = {.name = "AMX",
                                   .rows = kPanel,
                                   .columns = kPanel,
                                   .pieces = kPieces,
                                   .depth_multiple = kTileDepth,
                                   .depth = kDepth,
                                   .pack_a = pack_rows,
                                   .pack_b = pack_columns,
                                   .begin = begin_amx,
                                   .multiply = multiply_amx<kPieces>,
                                   .end = end_amx,
                                   .multiply_plainly = multiply_plainly};
  static const bool there = has_amx_bf16();
  return there ? &amx : nullptr;
}

#else

const PanelKernels* split_tiles() { return nullptr; }

#endif

}  // namespace mixtape::kernels

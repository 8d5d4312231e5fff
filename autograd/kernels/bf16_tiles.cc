#include "autograd/kernels/bf16_tiles.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#if defined(__GNUC__) && !defined(__clang__)  // a false alarm of GCC 12 in its own header
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

// The rest of the library is built for any x86-64; these functions are entered only after the CPU was asked.
#define MIXTAPE_AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define MIXTAPE_AMX_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,amx-tile,amx-bf16")))

namespace mixtape::kernels {
namespace {

constexpr int64_t kHalf = 16, kBlock = 2 * kHalf;
constexpr int64_t kTileDepth = 32, kTileElements = kHalf * kTileDepth;
constexpr int64_t kDepth = 1024;  // of two panels in the second cache

using Product = PanelProduct;

// A mask of the first n of 16 lanes.
MIXTAPE_AVX512_BF16 inline __mmask16 first_lanes(int64_t n) {
  return static_cast<__mmask16>(n >= 16 ? 0xffff : (n <= 0 ? 0 : (1 << n) - 1));
}

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

// 16 x 16 pairs, rows to columns.
MIXTAPE_AVX512_BF16 inline void transpose(__m512i* v) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    v[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    v[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    v[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    v[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {  // quarter q of v[i + 4 j] now is column 4 q + i of rows 4 j to 4 j + 3
    t[i] = _mm512_shuffle_i32x4(v[i], v[4 + i], 0x88);
    t[4 + i] = _mm512_shuffle_i32x4(v[8 + i], v[12 + i], 0x88);
    t[8 + i] = _mm512_shuffle_i32x4(v[i], v[4 + i], 0xdd);
    t[12 + i] = _mm512_shuffle_i32x4(v[8 + i], v[12 + i], 0xdd);
  }
  for (int i = 0; i < 4; ++i) {
    v[i] = _mm512_shuffle_i32x4(t[i], t[4 + i], 0x88);
    v[4 + i] = _mm512_shuffle_i32x4(t[8 + i], t[12 + i], 0x88);
    v[8 + i] = _mm512_shuffle_i32x4(t[i], t[4 + i], 0xdd);
    v[12 + i] = _mm512_shuffle_i32x4(t[8 + i], t[12 + i], 0xdd);
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

MIXTAPE_AVX512_BF16 inline void pack(const PanelSource& from, bool transposed, uint16_t* to) {
  PanelSource half = from;
  half.rows = std::min(kHalf, from.rows);
  pack_half(half, transposed, to);
  if (from.rows <= kHalf) return;  // then nobody reads the other half
  half.rows = from.rows - kHalf;
  half.data += from.across ? kHalf : kHalf * from.stride;
  pack_half(half, transposed, to + (from.depth + kTileDepth - 1) / kTileDepth * kTileElements);
}

MIXTAPE_AVX512_BF16 void pack_rows(const PanelSource& from, uint16_t* to) { pack(from, from.across, to); }
MIXTAPE_AVX512_BF16 void pack_columns(const PanelSource& from, uint16_t* to) { pack(from, !from.across, to); }

// True if sums may be stored to C as they are.
bool is_plain(const Product& p) {
  return p.alpha == 1 && p.beta == 0 && !p.bias && p.rows == kBlock && p.columns == kBlock;
}

// C = alpha sums + beta C, or + bias.
MIXTAPE_AVX512_BF16 void finish(const Product& p, const float* sums) {
  const __m512 alpha = _mm512_set1_ps(p.alpha), beta = _mm512_set1_ps(p.beta);
  for (int64_t column = 0; column < p.columns; column += 16) {
    const __mmask16 lanes = first_lanes(p.columns - column);
    const __m512 bias = p.bias ? _mm512_maskz_loadu_ps(lanes, p.bias + column) : _mm512_setzero_ps();
    for (int64_t row = 0; row < p.rows; ++row) {
      float* at = p.c + row * p.c_stride + column;
      __m512 start = bias;
      if (p.beta != 0) start = _mm512_mul_ps(beta, _mm512_maskz_loadu_ps(lanes, at));
      const __m512 sum = _mm512_loadu_ps(sums + row * kBlock + column);
      _mm512_mask_storeu_ps(at, lanes, _mm512_fmadd_ps(alpha, sum, start));
    }
  }
}

// Each of 16 sums gets the products of two pairs. The compiler's own function for it makes clang 16 crash in loops.
MIXTAPE_AVX512_BF16 inline void add_products(__m512& sum, __m512i x, __m512i y) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(x), "v"(y));
}

// Eight rows of A times one or two halves of a panel of B.
template <int kPanels>
MIXTAPE_AVX512_BF16 void multiply_eight_rows(const uint16_t* a, const uint16_t* b, int64_t tiles, float* sums) {
  constexpr int kRows = 8;
  __m512 sum[kRows][kPanels];
  for (int r = 0; r < kRows; ++r)
    for (int j = 0; j < kPanels; ++j) sum[r][j] = _mm512_setzero_ps();
  for (int64_t i = 0; i < tiles * kTileDepth / 2; ++i) {
    const uint16_t* pairs = b + i * 2 * kHalf;
    const uint16_t* numbers = a + i / 16 * kTileElements + i % 16 * 2;
    __m512i columns[kPanels];
    for (int j = 0; j < kPanels; ++j) columns[j] = _mm512_loadu_si512(pairs + j * tiles * kTileElements);
    for (int r = 0; r < kRows; ++r) {
      int32_t pair = 0;
      std::memcpy(&pair, numbers + r * kTileDepth, sizeof(pair));
      const __m512i row = _mm512_set1_epi32(pair);
      for (int j = 0; j < kPanels; ++j) add_products(sum[r][j], row, columns[j]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int j = 0; j < kPanels; ++j) _mm512_storeu_ps(sums + r * kBlock + j * kHalf, sum[r][j]);
}

MIXTAPE_AVX512_BF16 void multiply_avx512(const Product& p) {
  const int64_t tiles = p.depth / kTileDepth;
  alignas(64) float sums[kBlock * kBlock];
  for (int64_t row = 0; row < p.rows; row += 8) {
    const uint16_t* a = p.a + row / kHalf * tiles * kTileElements + row % kHalf * kTileDepth;
    if (p.columns > kHalf) {
      multiply_eight_rows<2>(a, p.b, tiles, sums + row * kBlock);
    } else {
      multiply_eight_rows<1>(a, p.b, tiles, sums + row * kBlock);
    }
  }
  finish(p, sums);
}

void nothing() {}

// Eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

MIXTAPE_AMX_BF16 void begin_amx() {
  const TileShapes shapes;
  asm volatile("" : : "r"(&shapes) : "memory");  // GCC does not know that the instruction reads all of it
  _tile_loadconfig(&shapes);
}
MIXTAPE_AMX_BF16 void end_amx() { _tile_release(); }

// Tiles 0 to 3 add up, 4 and 5 hold rows of A, 6 and 7 columns of B.
MIXTAPE_AMX_BF16 void multiply_amx(const Product& p) {
  const int64_t tiles = p.depth / kTileDepth, half = tiles * kTileElements;
  const bool two_rows = p.rows > kHalf, two_columns = p.columns > kHalf;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const uint16_t *a = p.a, *b = p.b;
  for (int64_t i = 0; i < tiles; ++i, a += kTileElements, b += kTileElements) {
    _tile_loadd(4, a, 64);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    if (two_columns) {
      _tile_loadd(7, b + half, 64);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (two_rows) {
      _tile_loadd(5, a + half, 64);
      _tile_dpbf16ps(2, 5, 6);
      if (two_columns) _tile_dpbf16ps(3, 5, 7);
    }
  }
  alignas(64) float sums[kBlock * kBlock];
  const bool plain = is_plain(p);
  float* to = plain ? p.c : sums;
  const int64_t stride = plain ? p.c_stride : kBlock, bytes = stride * static_cast<int64_t>(sizeof(float));
  _tile_stored(0, to, bytes);
  if (two_columns) _tile_stored(1, to + kHalf, bytes);
  if (two_rows) _tile_stored(2, to + kHalf * stride, bytes);
  if (two_rows && two_columns) _tile_stored(3, to + kHalf * stride + kHalf, bytes);
  if (!plain) finish(p, sums);
}

bool has_avx512_bf16() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1) != 0;
}

// Linux saves a thread's tiles only for processes that have asked for it.
bool has_amx_bf16() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 1) != 0 && (d >> 24 & 1) != 0 &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

const std::vector<PanelKernels>& bf16_tiles() {
  static const std::vector<PanelKernels> all = [] {
    std::vector<PanelKernels> found;
    if (!has_avx512_bf16()) return found;
    if (has_amx_bf16())
      found.push_back(
          {"AMX", kBlock, kBlock, kTileDepth, kDepth, pack_rows, pack_columns, begin_amx, multiply_amx, end_amx});
    found.push_back({"AVX512_BF16", kBlock, kBlock, kTileDepth, kDepth, pack_rows, pack_columns, nothing,
                     multiply_avx512, nothing});
    return found;
  }();
  return all;
}

}  // namespace mixtape::kernels

#else

namespace mixtape::kernels {
const std::vector<PanelKernels>& bf16_tiles() {
  static const std::vector<PanelKernels> none;
  return none;
}
}  // namespace mixtape::kernels

#endif

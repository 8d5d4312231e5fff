#pragma once

// What the micro-kernels for x86's bfloat16 units share. For their files only.
#if defined(__x86_64__) && defined(__linux__)
#define MIXTAPE_X86_TILES

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#if defined(__GNUC__) && !defined(__clang__)  // a false alarm of GCC 12 in its own header
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

#include "autograd/kernels/gemm/panel_gemm.h"

// The rest of the library is built for any x86-64; these functions are called after a check of the CPU only.
#define MIXTAPE_AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define MIXTAPE_AMX_BF16 \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,amx-tile,amx-bf16,prfchw")))

namespace mixtape::kernels::x86 {

/// MR = NR = 32: a panel is two halves of 16 rows of A, or columns of B. A half is cut along the depth into tiles of
/// 16 x 32 bfloat16, 1 KB each, zero-padded. A tile of A holds its rows one after the other, a tile of B the pairs of
/// its 16 columns, pair after pair. Which two elements form a pair is arbitrary, but the same in A and B.
constexpr int64_t kHalf = 16, kPanel = 2 * kHalf;
constexpr int64_t kTileDepth = 32, kTileElements = kHalf * kTileDepth;

/// The mask of the first n of 16 lanes.
MIXTAPE_AVX512_BF16 inline __mmask16 first_lanes(int64_t n) {
  return static_cast<__mmask16>(n >= 16 ? 0xffff : (n <= 0 ? 0 : (1 << n) - 1));
}

/// Transposes 16 x 16 elements of 32 bits.
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
  for (int i = 0; i < 4; ++i) {  // quarter q of v[i + 4 j] is column 4 q + i of rows 4 j to 4 j + 3
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

/// C = alpha sums + beta C, or + bias.   sums: [32, 32]
MIXTAPE_AVX512_BF16 inline void finish(const PanelProduct& p, const float* sums) {
  const __m512 alpha = _mm512_set1_ps(p.alpha), beta = _mm512_set1_ps(p.beta);
  for (int64_t column = 0; column < p.columns; column += 16) {
    const __mmask16 lanes = first_lanes(p.columns - column);
    const __m512 bias = p.bias ? _mm512_maskz_loadu_ps(lanes, p.bias + column) : _mm512_setzero_ps();
    for (int64_t row = 0; row < p.rows; ++row) {
      float* at = p.c + row * p.c_stride + column;
      __m512 start = bias;
      if (p.beta != 0) start = _mm512_mul_ps(beta, _mm512_maskz_loadu_ps(lanes, at));
      const __m512 sum = _mm512_loadu_ps(sums + row * kPanel + column);
      _mm512_mask_storeu_ps(at, lanes, _mm512_fmadd_ps(alpha, sum, start));
    }
  }
}

/// Eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

MIXTAPE_AMX_BF16 inline void begin_amx() {
  const TileShapes shapes;
  asm volatile("" : : "r"(&shapes) : "memory");  // GCC is not aware that the instruction reads all of it
  _tile_loadconfig(&shapes);
}
MIXTAPE_AMX_BF16 inline void end_amx() { _tile_release(); }

/// Eight empty instructions. On a core whose other hardware thread is busy, tile instructions in direct succession are
/// slower; elsewhere these cost nothing.
inline void space_out() { asm volatile("nop; nop; nop; nop; nop; nop; nop; nop"); }

/// Both halves of a panel of A times the half of a panel of B at `column`; `bytes` from row to row of `to`. Tiles 0 and
/// 1 are the sums, 2 and 3 rows of A, 4 columns of B. Five of the eight, as a core whose other hardware thread is busy
/// has too few to rename otherwise, and would run one tile instruction after the other.
template <int kTerms>
MIXTAPE_AMX_BF16 void multiply_columns(const PanelProduct& p, int64_t column, bool from_bias, float* to,
                                       int64_t bytes) {
  const int64_t a_half = p.a_depth * kHalf * kTerms, b_half = p.b_depth * kHalf * kTerms;
  const bool two_rows = p.rows > kHalf;
  const uint16_t *a = p.a, *b = p.b + column / kHalf * b_half;
  const auto load_rows = [&](int term) MIXTAPE_AMX_BF16 {
    _tile_loadd(2, a + term * kTileElements, 64);
    space_out();
    if (two_rows) _tile_loadd(3, a + term * kTileElements + a_half, 64);
    space_out();
  };
  const auto load_columns = [&](int term) MIXTAPE_AMX_BF16 {
    _tile_loadd(4, b + term * kTileElements, 64);
    space_out();
  };
  const auto add_products = [&]() MIXTAPE_AMX_BF16 {
    _tile_dpbf16ps(0, 2, 4);
    space_out();
    if (two_rows) _tile_dpbf16ps(1, 3, 4);
    space_out();
  };
  if (from_bias) {  // stride 0: the same row 16 times
    _tile_loadd(0, p.bias + column, 0);
    _tile_loadd(1, p.bias + column, 0);
  } else {
    _tile_zero(0);
    _tile_zero(1);
  }
  const float* c = p.c + column;
  const int64_t rows_ahead = (p.rows * kTileDepth + p.depth - 1) / p.depth;
  // Prefetches some rows of C for writing: beyond the caches, stores would wait for them.
  const auto prefetch_c = [&]() MIXTAPE_AMX_BF16 {
    for (int64_t i = 0; i < rows_ahead; ++i, c += p.c_stride) __builtin_prefetch(c, 1);
  };
  for (int64_t k = 0; k < p.depth; k += kTileDepth, a += kTerms * kTileElements, b += kTerms * kTileElements) {
    prefetch_c();
    if constexpr (kTerms == 3) {
      load_columns(0);
      load_rows(2);
      add_products();
      load_rows(1);
      add_products();
      load_columns(1);
      add_products();
      load_rows(0);
      add_products();
      load_columns(2);
      add_products();
      load_columns(0);
    } else {
      load_columns(0);
      load_rows(0);
    }
    add_products();
  }
  _tile_stored(0, to, bytes);
  if (two_rows) _tile_stored(1, to + bytes * kHalf / static_cast<int64_t>(sizeof(float)), bytes);
}

/// A panel of A times a panel of B whose elements are one term each, or three. Of the nine products of three terms the
/// six largest are added, the largest last, in an order that loads few tiles.
template <int kTerms>
MIXTAPE_AMX_BF16 void multiply_amx(const PanelProduct& p) {
  static_assert(kTerms == 1 || kTerms == 3);
  alignas(64) float sums[kPanel * kPanel];
  const bool plain = p.alpha == 1 && p.beta == 0 && p.rows == kPanel && p.columns == kPanel;
  float* to = plain ? p.c : sums;
  const int64_t bytes = (plain ? p.c_stride : kPanel) * static_cast<int64_t>(sizeof(float));
  for (int64_t column = 0; column < p.columns; column += kHalf)
    multiply_columns<kTerms>(p, column, plain && p.bias, to + column, bytes);
  if (!plain) finish(p, sums);
}

inline bool has_avx512_bf16() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1) != 0;
}

/// Linux grants the use of tiles to processes that request it.
inline bool has_amx_bf16() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return has_avx512_bf16() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 1) != 0 && (d >> 24 & 1) != 0 &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace mixtape::kernels::x86

#endif

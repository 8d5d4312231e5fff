#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mixtape::kernels {

/// Products of bfloat16 read panels: 16 rows of A, or 16 columns of B, cut along the inner size into tiles of 16 x 32
/// numbers (1 KiB), filled up with 0. A tile of A holds its rows one after the other. A tile of B holds, for each two
/// neighbours along the inner size, the pairs of its 16 columns.
inline constexpr int64_t kPanelRows = 16, kTileDepth = 32, kTileElements = kPanelRows * kTileDepth;

/// One panel that is to be filled from a row-major f32 matrix: its rows (or columns) stand `stride` elements apart and
/// are contiguous, or, if `across`, are themselves `stride` elements from number to number and stand side by side.
struct PanelSource {
  const float* data;
  int64_t stride;
  bool across;
  int64_t rows, depth;
};

/// Up to two panels of A times up to two of B: C = alpha A B + beta C, or + bias if that is given. rows and columns say
/// how much of C (at most 32 x 32) there is. Panels hold `tiles` tiles.
struct PanelProduct {
  const uint16_t *a, *b;
  int64_t tiles;
  float alpha, beta;
  const float* bias;
  float* c;
  int64_t c_stride, rows, columns;
};

/// Functions of one instruction set. Numbers are rounded to the nearest bfloat16, to even in the middle; what is too
/// small for a normal number counts as 0. Sums are f32.
struct Bf16Tiles {
  const char* name;
  void (*pack_rows)(const PanelSource& from, uint16_t* to);     ///< a panel of A
  void (*pack_columns)(const PanelSource& from, uint16_t* to);  ///< a panel of B
  void (*begin)();                                              ///< before a thread's first multiply
  void (*multiply)(const PanelProduct& product);
  void (*end)();  ///< after its last
};

/// What this machine has, best first: `AMX`, `AVX512_BF16`, or nothing.
const std::vector<Bf16Tiles>& bf16_tiles();

}  // namespace mixtape::kernels

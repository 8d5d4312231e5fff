#pragma once

#include <cstdint>

#include "autograd/kernels/gemm/operand.h"

namespace mixtape::kernels {

/// Products with both operands packed into panels of 16-bit numbers.

/// What panels are packed from: `rows` rows of A (or columns of B) of `depth` elements each. An element's neighbour
/// along the depth is the next one in memory, or `stride` elements away if `transposed`; rows are the other way round.
struct PanelSource {
  const float* data;
  int64_t stride;
  bool transposed;
  int64_t rows, depth;
};

/// A panel of A times a panel of B: C = alpha A B + beta C, or + bias. C has rows x columns elements, at most MR x NR.
struct PanelProduct {
  const uint16_t *a, *b;
  int64_t depth;             // zero-padded
  int64_t a_depth, b_depth;  // of the panels in memory, at least depth
  float alpha, beta;
  const float* bias;
  float* c;
  int64_t c_stride, rows, columns;
};

/// A micro-kernel and its packing. The order of the numbers in a panel is known to it alone.
struct MicroKernel {
  const char* name;
  int64_t mr, nr;      ///< rows of a panel of A, columns of one of B
  int64_t terms;       ///< 16-bit numbers per element
  int64_t k_multiple;  ///< panels are zero-padded to a multiple of it
  int64_t kc;          ///< the largest depth of a panel, a multiple of k_multiple
  /// False if there is an element that panels cannot represent.
  bool (*pack_a)(const PanelSource& from, uint16_t* to);
  bool (*pack_b)(const PanelSource& from, uint16_t* to);
  void (*begin)();  ///< before a thread's first product
  void (*multiply)(const PanelProduct& product);
  void (*end)();  ///< after its last one
  /// The product of elements that panels cannot represent. nullptr: they represent all.
  void (*multiply_unpacked)(const GemmArguments<float>& product);
};

/// The product, one KC block after the other: the smaller operand is packed for all tasks (or by each thread, if that
/// is faster), each task packs its part of the other one and multiplies. m, n, k > 0.
void panel_gemm(const MicroKernel& kernel, const GemmArguments<float>& product) noexcept;

/// B: [k, n] in panels, KC block after KC block.
struct PackedPanels {
  const MicroKernel* kernel;
  const uint16_t* data;
  int64_t n, k;
};
/// How many 16-bit numbers they take.
int64_t packed_panels_size(const MicroKernel& kernel, int64_t n, int64_t k) noexcept;
/// Packs B into `to`, which starts at a cache line; on all compute threads, or on the calling one inside a loop. False
/// if panels cannot represent it.
bool pack_panels(const MicroKernel& kernel, int64_t n, int64_t k, Operand<float> b, uint16_t* to) noexcept;
/// The product with the first n columns and k rows of a packed B, on the calling thread. product.b is B itself.
void multiply_panels(const PackedPanels& packed, const GemmArguments<float>& product) noexcept;

}  // namespace mixtape::kernels

#pragma once

#include <cstdint>

#include "autograd/kernels/gemm.h"

namespace mixtape::kernels {

/// One panel of bf16 numbers that is to be filled from a row-major f32 matrix: `rows` rows of A (or columns of B) of
/// `depth` numbers. They are contiguous and `stride` elements apart, or, if `across`, stand side by side, `stride`
/// elements from number to number.
struct PanelSource {
  const float* data;
  int64_t stride;
  bool across;
  int64_t rows, depth;
};

/// A panel of A times one of B: C = alpha A B + beta C, or + bias if that is given. rows and columns say how much of C
/// there is; what panels are filled up with counts for nothing.
struct PanelProduct {
  const uint16_t *a, *b;
  int64_t depth;  // filled up
  float alpha, beta;
  const float* bias;
  float* c;
  int64_t c_stride, rows, columns;
};

/// How an instruction set multiplies panels. How the numbers of a panel lie is its own business.
struct PanelKernels {
  const char* name;
  int64_t rows, columns;   ///< of C that a product of two panels gives
  int64_t depth_multiple;  ///< panels are filled up to a multiple of it
  int64_t depth;           ///< that is multiplied in one go, at most; a multiple of that
  void (*pack_a)(const PanelSource& from, uint16_t* to);
  void (*pack_b)(const PanelSource& from, uint16_t* to);
  void (*begin)();  ///< before a thread's first product
  void (*multiply)(const PanelProduct& product);
  void (*end)();  ///< after its last
};

/// What gemm is given.
struct GemmCall {
  int64_t m, n, k;
  float alpha;
  Operand<float> a, b;
  float beta;
  float* c;
  int64_t c_stride;
  const float* bias;
};

/// The product, slab by slab: first both operands are copied to panels, then all pairs of panels are multiplied, both
/// in tasks for all threads. Where the cuts lie depends on the sizes only. m, n, k > 0.
void panel_gemm(const PanelKernels& kernels, const GemmCall& call) noexcept;

}  // namespace mixtape::kernels

#pragma once

#include <cstdint>

#include "autograd/kernels/gemm/gemm.h"

namespace mixtape::kernels {

/// What panels of 16-bit numbers are to be filled from, one after the other: `rows` rows of A (or columns of B) of
/// `depth` numbers of a row-major f32 matrix. They are contiguous and `stride` elements apart, or, if `across`, stand
/// side by side, `stride` elements from number to number.
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
  int64_t depth;             // filled up
  int64_t a_depth, b_depth;  // of the panels, at least that
  float alpha, beta;
  const float* bias;
  float* c;
  int64_t c_stride, rows, columns;
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

/// How an instruction set multiplies panels. How the numbers of a panel lie is its own business.
struct PanelKernels {
  const char* name;
  int64_t rows, columns;   ///< of C that a product of two panels gives
  int64_t pieces;          ///< 16-bit numbers that stand for one of the operand's
  int64_t depth_multiple;  ///< panels are filled up to a multiple of it
  int64_t depth;           ///< that is multiplied in one go, at most; a multiple of that
  /// False if there is a number that panels cannot hold.
  bool (*pack_a)(const PanelSource& from, uint16_t* to);
  bool (*pack_b)(const PanelSource& from, uint16_t* to);
  void (*begin)();  ///< before a thread's first product
  void (*multiply)(const PanelProduct& product);
  void (*end)();  ///< after its last
  /// The whole product without panels, for numbers that they cannot hold. nullptr: they hold all.
  void (*multiply_plainly)(const GemmCall& call);
};

/// The product, slab of the inner size by slab. The smaller operand is copied to panels first, which all tasks share
/// (or, if it is small enough, by each thread for itself); each task copies its part of the other one and multiplies.
/// Where the cuts lie depends on the sizes only. m, n, k > 0.
void panel_gemm(const PanelKernels& kernels, const GemmCall& call) noexcept;

/// B: [k, n] in panels, slab of the inner size by slab.
struct Panels {
  const PanelKernels* kernels;
  const uint16_t* data;
  int64_t n, k;
};
/// How many numbers they have.
int64_t panels_size(const PanelKernels& kernels, int64_t n, int64_t k) noexcept;
/// Copies B to panels in the given room, which must start at a cache line; on all compute threads, or on the calling
/// one inside a loop. False if they cannot hold its numbers.
bool pack_panels(const PanelKernels& kernels, int64_t n, int64_t k, Operand<float> b, uint16_t* room) noexcept;
/// The product with the first call.n columns and call.k rows of B in panels, on the calling thread. call.b is B itself.
void multiply_panels(const Panels& panels, const GemmCall& call) noexcept;

}  // namespace mixtape::kernels

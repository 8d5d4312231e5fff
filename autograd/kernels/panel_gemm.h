#pragma once

#include <algorithm>
#include <cstdint>

#include "autograd/kernels/gemm.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"

namespace mixtape::kernels {

/// One panel that is to be filled from a row-major f32 matrix: `rows` rows of A (or columns of B) of `depth` numbers.
/// They are contiguous and `stride` elements apart, or, if `across`, stand side by side, `stride` elements from number
/// to number.
struct PanelSource {
  const float* data;
  int64_t stride;
  bool across;
  int64_t rows, depth;
};

/// A panel of A times one of B: C = alpha A B + beta C, or + bias if that is given. rows and columns say how much of C
/// there is; what panels are filled up with counts for nothing.
template <class Element>
struct PanelProduct {
  const Element *a, *b;
  int64_t depth;  // filled up
  float alpha, beta;
  const float* bias;
  float* c;
  int64_t c_stride, rows, columns;
};

/// How an instruction set multiplies panels. How the numbers of a panel lie is its own business.
template <class Element>
struct PanelKernels {
  const char* name;
  int64_t rows, columns;   ///< of C that a product of two panels gives
  int64_t depth_multiple;  ///< panels are filled up to a multiple of it
  int64_t depth;           ///< that is multiplied in one go, at most; a multiple of that
  bool a_stays;            ///< in the nearest cache while panels of B pass by, and not the other way round
  void (*pack_a)(const PanelSource& from, Element* to);
  void (*pack_b)(const PanelSource& from, Element* to);
  void (*begin)();  ///< before a thread's first product
  void (*multiply)(const PanelProduct<Element>& product);
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

/// The inner sizes [from, from + depth) of a product, as panels.
template <class Element>
struct Slab {
  int64_t from, depth, filled;
  Element *a, *b;
};

template <class Element>
void pack_panel(const PanelKernels<Element>& kernels, const GemmCall& p, const Slab<Element>& s, int64_t panel,
                bool is_a) {
  const int64_t size = is_a ? kernels.rows : kernels.columns, row = panel * size;
  const Operand<float>& x = is_a ? p.a : p.b;
  const bool across = is_a ? x.transposed : !x.transposed;
  const float* data = across ? x.data + s.from * x.stride + row : x.data + row * x.stride + s.from;
  const PanelSource source{data, x.stride, across, std::min(size, (is_a ? p.m : p.n) - row), s.depth};
  (is_a ? kernels.pack_a : kernels.pack_b)(source, (is_a ? s.a : s.b) + panel * size * s.filled);
}

/// What a task adds to C: the panels [first, last) of A times those of B. A panel of the one stays in the nearest cache
/// while those of the other pass by.
template <class Element>
void multiply_panels(const PanelKernels<Element>& kernels, const GemmCall& p, const Slab<Element>& s, int64_t a_first,
                     int64_t a_last, int64_t b_first, int64_t b_last) {
  const auto multiply = [&](int64_t i, int64_t j) {
    const int64_t row = i * kernels.rows, column = j * kernels.columns;
    kernels.multiply({.a = s.a + row * s.filled,
                      .b = s.b + column * s.filled,
                      .depth = s.filled,
                      .alpha = p.alpha,
                      .beta = s.from == 0 ? p.beta : 1,
                      .bias = p.bias && s.from == 0 ? p.bias + column : nullptr,
                      .c = p.c + row * p.c_stride + column,
                      .c_stride = p.c_stride,
                      .rows = std::min(kernels.rows, p.m - row),
                      .columns = std::min(kernels.columns, p.n - column)});
  };
  kernels.begin();
  if (kernels.a_stays) {
    for (int64_t i = a_first; i < a_last; ++i)
      for (int64_t j = b_first; j < b_last; ++j) multiply(i, j);
  } else {
    for (int64_t j = b_first; j < b_last; ++j)
      for (int64_t i = a_first; i < a_last; ++i) multiply(i, j);
  }
  kernels.end();
}

/// Room for n elements that starts at a cache line.
template <class Element>
Element* aligned_scratch(int slot, int64_t n) {
  constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(Element));
  Element* room = scratch<Element>(slot, n + kLine);
  const auto past = static_cast<int64_t>(reinterpret_cast<uintptr_t>(room) / sizeof(Element)) % kLine;
  return room + (kLine - past) % kLine;
}

/// The product, slab by slab: first both operands are copied to panels, then all pairs of panels are multiplied, both
/// in tasks for all threads. Where the cuts lie depends on the sizes only. m, n, k > 0. Uses the given two slots of
/// the calling thread's scratch memory.
template <class Element>
void panel_gemm(const PanelKernels<Element>& kernels, const GemmCall& p, int first_slot) noexcept {
  constexpr int64_t kTaskRows = 8, kMostTaskRows = 24, kTaskColumns = 16;  // panels
  const int64_t slabs = (p.k + kernels.depth - 1) / kernels.depth, multiple = kernels.depth_multiple;
  const int64_t depth = ((p.k + slabs - 1) / slabs + multiple - 1) / multiple * multiple;
  const int64_t a_panels = (p.m + kernels.rows - 1) / kernels.rows;
  const int64_t b_panels = (p.n + kernels.columns - 1) / kernels.columns;
  const int64_t rows = std::clamp(a_panels / 8, std::min(kTaskRows, a_panels), kMostTaskRows);
  const int64_t row_tasks = (a_panels + rows - 1) / rows, column_tasks = (b_panels + kTaskColumns - 1) / kTaskColumns;
  const bool by_rows = p.m >= p.n;  // what is smaller passes by again and again, so that it should come from a cache
  Slab<Element> slab{.from = 0, .depth = 0, .filled = 0, .a = nullptr, .b = nullptr};
  slab.a = aligned_scratch<Element>(first_slot, a_panels * kernels.rows * depth);
  slab.b = aligned_scratch<Element>(first_slot + 1, b_panels * kernels.columns * depth);
  for (; slab.from < p.k; slab.from += depth) {
    slab.depth = std::min(depth, p.k - slab.from);
    slab.filled = (slab.depth + multiple - 1) / multiple * multiple;
    parallel_for(a_panels + b_panels, grain_for(slab.filled * kernels.columns), [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i)
        pack_panel(kernels, p, slab, i < a_panels ? i : i - a_panels, i < a_panels);
    });
    parallel_for(row_tasks * column_tasks, 1, [&](int64_t task, int64_t) {
      const int64_t row_task = by_rows ? task / column_tasks : task % row_tasks;
      const int64_t column_task = by_rows ? task % column_tasks : task / row_tasks;
      const int64_t i = row_task * rows, j = column_task * kTaskColumns;
      multiply_panels(kernels, p, slab, i, std::min(a_panels, i + rows), j, std::min(b_panels, j + kTaskColumns));
    });
  }
}

}  // namespace mixtape::kernels

#include "autograd/kernels/gemm/operand.h"

#include "autograd/kernels/parallel.h"

namespace mixtape::kernels {

template <class T>
Operand<T> mapped(Operand<T> x, int64_t rows, int64_t columns, Workspace purpose) noexcept {
  if (!x.map) return x;
  const int64_t height = x.transposed ? columns : rows, width = x.transposed ? rows : columns;
  T* to = workspace<T>(purpose, height * width);
  parallel_for(height, grain_for(width), [&](int64_t first, int64_t last) {
    unary_rows(*x.map, x.data + first * x.stride, x.stride, to + first * width, last - first, width);
  });
  return {to, width, x.transposed};
}

template Operand<float> mapped(Operand<float>, int64_t, int64_t, Workspace) noexcept;
template Operand<double> mapped(Operand<double>, int64_t, int64_t, Workspace) noexcept;

}  // namespace mixtape::kernels

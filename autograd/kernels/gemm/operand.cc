#include "autograd/kernels/gemm/operand.h"

#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"

namespace mixtape::kernels {
namespace {

template <class T>
Operand<T> copy(const Operand<T>& x, int64_t rows, int64_t columns, Room room) {
  if (!x.map) return x;
  const int64_t height = x.transposed ? columns : rows, width = x.transposed ? rows : columns;
  T* mapped = scratch<T>(room, height * width);
  parallel_for(height, grain_for(width), [&](int64_t first, int64_t last) {
    unary_rows(*x.map, x.data + first * x.stride, x.stride, mapped + first * width, last - first, width);
  });
  return {mapped, width, x.transposed};
}

}  // namespace

Operand<float> mapped(Operand<float> x, int64_t rows, int64_t columns, Room room) noexcept {
  return copy(x, rows, columns, room);
}
Operand<double> mapped(Operand<double> x, int64_t rows, int64_t columns, Room room) noexcept {
  return copy(x, rows, columns, room);
}

}  // namespace mixtape::kernels

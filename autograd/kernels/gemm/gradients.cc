#include "autograd/kernels/gemm/gradients.h"

#include <algorithm>

#include "autograd/kernels/gemm/by_rows.h"
#include "autograd/kernels/reduce.h"

namespace mixtape::kernels {

template <class T>
bool goes_by_rows(int64_t m, int64_t n, int64_t k, Precision precision) noexcept {
  return by_rows_block(m, n, k, threads()) > 0 && packs_b<T>(m, n, k, precision);
}

template <class T>
void gemm_square(int64_t m, int64_t n, const T* a, Operand<T> b, bool accumulate, T* c, Precision precision) noexcept {
  gemm_by_rows(m, n, n, Operand<T>{a, n}, b, precision, [=](int64_t row, int64_t rows, const T* product) {
    if (accumulate) return add_to(product, c + row * n, rows * n);
    std::copy_n(product, rows * n, c + row * n);
  });
}

template <class T, class X>
void gemm_unary_grad(Unary f, int64_t m, int64_t n, int64_t k, Operand<T> a, Operand<T> b, const X* x, T* dx,
                     Precision precision) noexcept {
  const auto multiply_slope = [=](int64_t row, int64_t rows, const T* product) {
    unary_grad(f, x + row * n, product, dx + row * n, rows * n);
  };
  if (gemm_by_rows(m, n, k, a, b, precision, multiply_slope)) return;
  const int64_t block =
      std::clamp<int64_t>(tuning::kSlopeElements / std::max<int64_t>(n, 1), 1, std::max<int64_t>(m, 1));
  T* product = workspace<T>(Workspace::slope_product, block * n);
  for (int64_t row = 0; row < m; row += block) {
    const int64_t rows = std::min(block, m - row);
    gemm(rows, n, k, 1, rows_from(a, row), b, 0, product, n, nullptr, precision);
    multiply_slope(row, rows, product);
  }
}

template bool goes_by_rows<float>(int64_t, int64_t, int64_t, Precision) noexcept;
template bool goes_by_rows<double>(int64_t, int64_t, int64_t, Precision) noexcept;
template void gemm_square(int64_t, int64_t, const float*, Operand<float>, bool, float*, Precision) noexcept;
template void gemm_square(int64_t, int64_t, const double*, Operand<double>, bool, double*, Precision) noexcept;
template void gemm_unary_grad(Unary, int64_t, int64_t, int64_t, Operand<float>, Operand<float>, const float*, float*,
                              Precision) noexcept;
template void gemm_unary_grad(Unary, int64_t, int64_t, int64_t, Operand<double>, Operand<double>, const double*,
                              double*, Precision) noexcept;
template void gemm_unary_grad(Unary, int64_t, int64_t, int64_t, Operand<float>, Operand<float>, const uint16_t*, float*,
                              Precision) noexcept;

}  // namespace mixtape::kernels

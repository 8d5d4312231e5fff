#include "autograd/kernels/gemm_gradients.h"

#include <algorithm>

#include "autograd/kernels/gemm_by_rows.h"
#include "autograd/kernels/reduce.h"

namespace mixtape::kernels {
namespace {

template <class T>
void square(int64_t m, int64_t n, const T* a, Operand<T> b, bool accumulate, T* c, Factors factors) noexcept {
  gemm_by_rows(m, n, n, Operand<T>{a, n}, b, factors, [=](int64_t row, int64_t count, const T* product) {
    if (accumulate) return add_to(product, c + row * n, count * n);
    std::copy_n(product, count * n, c + row * n);
  });
}

template <class T, class X>
void through_slope(Unary f, int64_t m, int64_t n, int64_t k, Operand<T> a, Operand<T> b, const X* x, T* dx,
                   Factors factors) noexcept {
  constexpr int64_t kElements = 1 << 19;  // of a block that the second-level caches hold
  const auto slope = [=](int64_t row, int64_t count, const T* product) {
    unary_grad(f, x + row * n, product, dx + row * n, count * n);
  };
  if (gemm_by_rows(m, n, k, a, b, factors, slope)) return;
  const int64_t block = std::clamp<int64_t>(kElements / std::max<int64_t>(n, 1), 1, std::max<int64_t>(m, 1));
  T* product = aligned_scratch<T>(Room::product_block, block * n);
  for (int64_t row = 0; row < m; row += block) {
    const int64_t count = std::min(block, m - row);
    gemm(count, n, k, T(1), rows_from(a, row), b, T(0), product, n, nullptr, factors);
    slope(row, count, product);
  }
}

}  // namespace

bool goes_by_rows(int64_t m, int64_t n, int64_t k, Operand<float> b, Factors factors) noexcept {
  return rows_at_a_time(m, n, k) > 0 && lays_out(m, n, k, b, factors);
}
bool goes_by_rows(int64_t m, int64_t n, int64_t k, Operand<double> b, Factors factors) noexcept {
  return rows_at_a_time(m, n, k) > 0 && lays_out(m, n, k, b, factors);
}

void gemm_square(int64_t m, int64_t n, const float* a, Operand<float> b, bool accumulate, float* c,
                 Factors factors) noexcept {
  square(m, n, a, b, accumulate, c, factors);
}
void gemm_square(int64_t m, int64_t n, const double* a, Operand<double> b, bool accumulate, double* c,
                 Factors factors) noexcept {
  square(m, n, a, b, accumulate, c, factors);
}

void gemm_unary_grad(Unary f, int64_t m, int64_t n, int64_t k, Operand<float> a, Operand<float> b, const float* x,
                     float* dx, Factors factors) noexcept {
  through_slope(f, m, n, k, a, b, x, dx, factors);
}
void gemm_unary_grad(Unary f, int64_t m, int64_t n, int64_t k, Operand<double> a, Operand<double> b, const double* x,
                     double* dx, Factors factors) noexcept {
  through_slope(f, m, n, k, a, b, x, dx, factors);
}
void gemm_unary_grad(Unary f, int64_t m, int64_t n, int64_t k, Operand<float> a, Operand<float> b, const uint16_t* x,
                     float* dx, Factors factors) noexcept {
  through_slope(f, m, n, k, a, b, x, dx, factors);
}

}  // namespace mixtape::kernels

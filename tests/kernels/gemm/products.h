#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "autograd/kernels/gemm/gemm.h"
#include "tests/kernels/buffers.h"
#include "tests/kernels/reference.h"

namespace mixtape::tests {

using kernels::Operand;
using reference::Exact;

/// C = alpha A B + beta C, or + bias.
struct Product {
  int64_t m, n, k;
  bool a_transposed = false, b_transposed = false;
  int64_t padding = 0;  ///< between rows
  double alpha = 1, beta = 0;
  bool bias = false;
};

/// A dense matrix as an operand, NaN where nothing may be read.
template <class T>
struct OperandMemory {
  std::vector<T> memory;
  Operand<T> operand;

  OperandMemory(const std::vector<T>& dense, int64_t rows, int64_t columns, bool transposed, int64_t padding,
                int64_t offset) {
    const int64_t width = transposed ? rows : columns, height = transposed ? columns : rows, stride = width + padding;
    memory.assign(static_cast<size_t>(height * std::max<int64_t>(stride, 1) + offset), kNaN<T>);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c)
        memory[static_cast<size_t>(offset + (transposed ? c * stride + r : r * stride + c))] =
            dense[static_cast<size_t>(r * columns + c)];
    }
    operand = {memory.data() + offset, std::max<int64_t>(stride, 1), transposed};
  }
};

/// Checks multiply(product, a, b, c, stride, bias) against a product in higher precision of operands rounded by
/// `round`, and that it writes nowhere else.
template <class T, class Multiply>
void check(
    const Product& p, int64_t offset, const Multiply& multiply, T (*round)(T) = [](T x) { return x; }) {
  CAPTURE(p.m);
  CAPTURE(p.n);
  CAPTURE(p.k);
  CAPTURE(p.a_transposed);
  CAPTURE(p.b_transposed);
  CAPTURE(p.padding);
  CAPTURE(p.alpha);
  CAPTURE(p.beta);
  const auto a = random_values<T>(p.m * p.k, 1), b = random_values<T>(p.k * p.n, 2), bias = random_values<T>(p.n, 4);
  const auto before = random_values<T>(p.m * p.n, 3);
  auto want = reference::exact(before), a_rounded = reference::exact(a), b_rounded = reference::exact(b);
  std::transform(a.begin(), a.end(), a_rounded.begin(), round);
  std::transform(b.begin(), b.end(), b_rounded.begin(), round);
  reference::gemm<Exact<T>>(p.m, p.n, p.k, Exact<T>(p.alpha), a_rounded, b_rounded, Exact<T>(p.beta), want);
  const OperandMemory<T> left(a, p.m, p.k, p.a_transposed, p.padding, offset),
      right(b, p.k, p.n, p.b_transposed, p.padding, 3 - offset);
  const int64_t stride = std::max<int64_t>(p.n + p.padding, 1);
  Guarded<T> c(p.m * stride, offset);
  for (int64_t i = 0; i < p.m * p.n; ++i)
    c.data()[i / p.n * stride + i % p.n] = p.beta == 0 ? kNaN<T> : before[static_cast<size_t>(i)];
  multiply(p, left.operand, right.operand, c.data(), stride, p.bias ? bias.data() : nullptr);
  std::vector<T> got;
  bool padding_intact = c.intact();
  for (int64_t row = 0; row < p.m; ++row) {
    for (int64_t column = 0; column < stride; ++column) {
      const T value = c.data()[row * stride + column];
      if (column < p.n) got.push_back(value);
      padding_intact = padding_intact && (column < p.n || value == Guarded<T>::unwritten());
    }
  }
  for (int64_t i = 0; p.bias && i < p.m * p.n; ++i) want[static_cast<size_t>(i)] += bias[static_cast<size_t>(i % p.n)];
  const double error = kTolerance<T> * std::sqrt(static_cast<double>(p.k + 1));
  CHECK(difference(got, want, error, error) == "");
  CHECK(padding_intact);
}

/// The same for products of some sizes with all transposes, and with strides, alpha, beta and bias.
template <class T, size_t kShapes, class Multiply>
void check_shapes(
    const int64_t (&shapes)[kShapes][3], const Multiply& multiply, bool with_bias,
    T (*round)(T) = [](T x) { return x; }) {
  for (const auto& [m, n, k] : shapes) {
    for (int mask = 0; mask < 8; ++mask) {
      Product p{m, n, k, (mask & 1) != 0, (mask & 2) != 0, (mask & 4) != 0 ? 5 : 0, mask % 3 == 0 ? 1.0 : -0.5};
      check<T>(p, mask % 4, multiply, round);
      p.bias = with_bias;
      check<T>(p, mask % 4, multiply, round);
      p.bias = false;
      p.beta = mask % 2 == 0 ? 1.0 : 0.25;
      check<T>(p, mask % 4, multiply, round);
    }
  }
}

/// The arguments of a product in floats.
inline kernels::GemmArguments<float> arguments_of(const Product& p, Operand<float> a, Operand<float> b, float* c,
                                                  int64_t stride, const float* bias = nullptr) {
  return {p.m, p.n, p.k, static_cast<float>(p.alpha), a, b, static_cast<float>(p.beta), c, stride, bias};
}

}  // namespace mixtape::tests

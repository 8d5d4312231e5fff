#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <type_traits>
#include <vector>

#include "autograd/kernels/dropout.h"
#include "autograd/kernels/elementwise.h"
#include "autograd/kernels/philox.h"

/// What the kernels compute, in plain loops and more digits: the definitions they are tested against.
namespace mixtape::tests::reference {

/// The type in which to compute what a kernel on T should give.
template <class T>
using Exact = std::conditional_t<std::is_same_v<T, float>, double, long double>;

template <class T>
std::vector<Exact<T>> exact(const std::vector<T>& x) {
  return {x.begin(), x.end()};
}

template <class E>
E unary(kernels::Unary f, E x) {
  const E half = E(1) / 2, root2 = std::numbers::sqrt2_v<E>, root_2_pi = std::sqrt(2 / std::numbers::pi_v<E>);
  const E cubic = E(44715) / 1000000;
  switch (f) {
    case kernels::Unary::exp:
      return std::exp(x);
    case kernels::Unary::log:
      return std::log(x);
    case kernels::Unary::sqrt:
      return std::sqrt(x);
    case kernels::Unary::tanh:
      return std::tanh(x);
    case kernels::Unary::erf:
      return std::erf(x);
    case kernels::Unary::relu:
      return x < 0 ? 0 : x;
    case kernels::Unary::gelu:
      return half * x * std::erfc(-x / root2);
    case kernels::Unary::gelu_tanh:
      return half * x * (1 + std::tanh(root_2_pi * (x + cubic * x * x * x)));
  }
  return 0;
}

/// The derivative, for those that have a kernel for it.
template <class E>
E slope(kernels::Unary f, E x) {
  const E half = E(1) / 2, root2 = std::numbers::sqrt2_v<E>, pi = std::numbers::pi_v<E>;
  const E cubic = E(44715) / 1000000;
  if (f == kernels::Unary::relu) return x > 0 ? 1 : 0;
  if (f == kernels::Unary::gelu) return half * std::erfc(-x / root2) + x * std::exp(-x * x / 2) / std::sqrt(2 * pi);
  const E inner = std::sqrt(2 / pi) * (x + cubic * x * x * x);
  const E inner_slope = std::sqrt(2 / pi) * (1 + 3 * cubic * x * x);
  const E t = std::tanh(inner);
  return half * (1 + t) + half * x * (1 - t * t) * inner_slope;
}

/// log sum_i exp(x[i]) of one row.
template <class E>
E log_sum_exp(const E* x, int64_t n) {
  const E largest = *std::max_element(x, x + n);
  E sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += std::exp(x[i] - largest);
  return largest + std::log(sum);
}

template <class E>
std::vector<E> log_softmax(const std::vector<E>& x, int64_t rows, int64_t n) {
  std::vector<E> y(x.size());
  for (int64_t row = 0; row < rows && n > 0; ++row) {
    const E* from = x.data() + row * n;
    const E log_sum = log_sum_exp(from, n);
    for (int64_t i = 0; i < n; ++i) y[static_cast<size_t>(row * n + i)] = from[i] - log_sum;
  }
  return y;
}

template <class E>
std::vector<E> softmax(const std::vector<E>& x, int64_t rows, int64_t n) {
  std::vector<E> y = log_softmax(x, rows, n);
  for (E& value : y) value = std::exp(value);
  return y;
}

template <class E>
std::vector<E> softmax_grad(const std::vector<E>& y, const std::vector<E>& dy, int64_t rows, int64_t n) {
  std::vector<E> dx(y.size());
  for (int64_t row = 0; row < rows; ++row) {
    const auto at = [&](int64_t i) { return static_cast<size_t>(row * n + i); };
    E dot = 0;
    for (int64_t i = 0; i < n; ++i) dot += dy[at(i)] * y[at(i)];
    for (int64_t i = 0; i < n; ++i) dx[at(i)] = y[at(i)] * (dy[at(i)] - dot);
  }
  return dx;
}

template <class E>
std::vector<E> log_softmax_grad(const std::vector<E>& y, const std::vector<E>& dy, int64_t rows, int64_t n) {
  std::vector<E> dx(y.size());
  for (int64_t row = 0; row < rows; ++row) {
    const auto at = [&](int64_t i) { return static_cast<size_t>(row * n + i); };
    E sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += dy[at(i)];
    for (int64_t i = 0; i < n; ++i) dx[at(i)] = dy[at(i)] - std::exp(y[at(i)]) * sum;
  }
  return dx;
}

/// x: [outer, n, inner], summed over n.
template <class E>
std::vector<E> sum(const std::vector<E>& x, int64_t outer, int64_t n, int64_t inner) {
  std::vector<E> y(static_cast<size_t>(outer * inner));
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t k = 0; k < n; ++k) {
      for (int64_t i = 0; i < inner; ++i)
        y[static_cast<size_t>(o * inner + i)] += x[static_cast<size_t>((o * n + k) * inner + i)];
    }
  }
  return y;
}

template <class E>
struct LayerNorm {
  std::vector<E> y, statistics;
};

template <class E>
LayerNorm<E> layer_norm(const std::vector<E>& x, const std::vector<E>& gamma, const std::vector<E>& beta, E epsilon,
                        int64_t rows, int64_t n) {
  LayerNorm<E> result{std::vector<E>(x.size()), {}};
  for (int64_t row = 0; row < rows; ++row) {
    const auto at = [&](int64_t i) { return static_cast<size_t>(row * n + i); };
    E mean = 0, variance = 0;
    for (int64_t i = 0; i < n; ++i) mean += x[at(i)] / static_cast<E>(n);
    for (int64_t i = 0; i < n; ++i) variance += (x[at(i)] - mean) * (x[at(i)] - mean) / static_cast<E>(n);
    const E rstd = 1 / std::sqrt(variance + epsilon);
    for (int64_t i = 0; i < n; ++i) {
      const auto k = static_cast<size_t>(i);
      result.y[at(i)] = (x[at(i)] - mean) * rstd * gamma[k] + beta[k];
    }
    result.statistics.insert(result.statistics.end(), {mean, rstd});
  }
  return result;
}

template <class E>
struct LayerNormGrad {
  std::vector<E> dx, dgamma, dbeta;
};

template <class E>
LayerNormGrad<E> layer_norm_grad(const std::vector<E>& x, const std::vector<E>& gamma, const std::vector<E>& statistics,
                                 const std::vector<E>& dy, int64_t rows, int64_t n) {
  LayerNormGrad<E> result{std::vector<E>(x.size()), std::vector<E>(gamma.size()), std::vector<E>(gamma.size())};
  for (int64_t row = 0; row < rows; ++row) {
    const auto at = [&](int64_t i) { return static_cast<size_t>(row * n + i); };
    const E mean = statistics[static_cast<size_t>(2 * row)], rstd = statistics[static_cast<size_t>(2 * row + 1)];
    E g_mean = 0, gh_mean = 0;
    for (int64_t i = 0; i < n; ++i) {
      const E h = (x[at(i)] - mean) * rstd, g = dy[at(i)] * gamma[static_cast<size_t>(i)];
      g_mean += g / static_cast<E>(n);
      gh_mean += g * h / static_cast<E>(n);
      result.dgamma[static_cast<size_t>(i)] += dy[at(i)] * h;
      result.dbeta[static_cast<size_t>(i)] += dy[at(i)];
    }
    for (int64_t i = 0; i < n; ++i) {
      const E h = (x[at(i)] - mean) * rstd, g = dy[at(i)] * gamma[static_cast<size_t>(i)];
      result.dx[at(i)] = rstd * (g - g_mean - h * gh_mean);
    }
  }
  return result;
}

/// The loss of one row that is not ignored.
template <class E>
E cross_entropy(const E* x, int64_t target, E smoothing, int64_t n) {
  const E log_sum = log_sum_exp(x, n);
  E mean = 0;
  for (int64_t i = 0; i < n; ++i) mean += x[i] / static_cast<E>(n);
  return (1 - smoothing) * (log_sum - x[target]) + smoothing * (log_sum - mean);
}

/// C = alpha op(A) op(B) + beta C on dense row-major matrices; C is not read if beta is 0.
template <class E>
void gemm(int64_t m, int64_t n, int64_t k, E alpha, const std::vector<E>& a, const std::vector<E>& b, E beta,
          std::vector<E>& c) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      E dot = 0;
      for (int64_t l = 0; l < k; ++l) dot += a[static_cast<size_t>(i * k + l)] * b[static_cast<size_t>(l * n + j)];
      E& target = c[static_cast<size_t>(i * n + j)];
      target = alpha * dot + (beta == 0 ? 0 : beta * target);
    }
  }
}

/// True if dropout keeps an element. They come in groups of 64: word w of the block with counter 16 g + c decides on
/// element 64 g + 16 w + c.
inline bool keeps(const kernels::DropoutDraw& draw, int64_t element) {
  const auto group = static_cast<uint32_t>(element / 64), within = static_cast<uint32_t>(element % 64);
  const auto block = kernels::philox({16 * group + within % 16, draw.op, static_cast<uint32_t>(draw.step), 0},
                                     {static_cast<uint32_t>(draw.seed), static_cast<uint32_t>(draw.seed >> 32)});
  return block[within / 16] >= draw.threshold;
}

}  // namespace mixtape::tests::reference

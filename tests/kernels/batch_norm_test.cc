#include "autograd/kernels/batch_norm.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/kernels/buffers.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;
using reference::Exact;

namespace {

constexpr double kBatchEpsilon = 1e-3;

template <class E>
struct PlainBatchNorm {
  std::vector<E> y, statistics, dx, dgamma, dbeta;
};

template <class E>
PlainBatchNorm<E> plain(const std::vector<E>& x, const std::vector<E>& gamma, const std::vector<E>& beta,
                        const std::vector<E>& dy, E epsilon, int64_t rows, int64_t n) {
  const auto columns = static_cast<size_t>(n);
  PlainBatchNorm<E> result{std::vector<E>(x.size()), std::vector<E>(3 * columns), std::vector<E>(x.size()),
                           std::vector<E>(columns), std::vector<E>(columns)};
  const auto count = static_cast<E>(rows);
  for (size_t c = 0; c < columns; ++c) {
    E mean = 0, variance = 0;
    for (size_t i = c; i < x.size(); i += columns) mean += x[i] / count;
    for (size_t i = c; i < x.size(); i += columns) variance += (x[i] - mean) * (x[i] - mean) / count;
    const E rstd = 1 / std::sqrt(variance + epsilon);
    const auto h = [&](size_t i) { return (x[i] - mean) * rstd; };
    for (size_t i = c; i < x.size(); i += columns) {
      result.y[i] = h(i) * gamma[c] + beta[c];
      result.dgamma[c] += dy[i] * h(i);
      result.dbeta[c] += dy[i];
    }
    for (size_t i = c; i < x.size(); i += columns)
      result.dx[i] = gamma[c] * rstd * (dy[i] - result.dbeta[c] / count - h(i) * result.dgamma[c] / count);
    result.statistics[c] = mean;
    result.statistics[columns + c] = variance;
    result.statistics[2 * columns + c] = rstd;
  }
  return result;
}

template <class T>
void check_batch_norm(int64_t rows, int64_t n, int64_t offset) {
  CAPTURE(rows);
  CAPTURE(n);
  CAPTURE(offset);
  const auto xs = random_values<T>(rows * n, static_cast<uint64_t>(n), -2, 3), grads = random_values<T>(rows * n, 4);
  const auto gammas = random_values<T>(n, 2, 0.5, 1.5), betas = random_values<T>(n, 3);
  const auto want = plain(reference::exact(xs), reference::exact(gammas), reference::exact(betas),
                          reference::exact(grads), Exact<T>(kBatchEpsilon), rows, n);
  Guarded<T> x(xs, offset), gamma(gammas, 3 - offset), beta(betas, 1), dy(grads, 2);
  Guarded<T> y(rows * n, offset), statistics(3 * n, 3), partial(2 * n * batch_norm_pieces(rows), 1);
  batch_norm(x.data(), gamma.data(), beta.data(), kBatchEpsilon, y.data(), statistics.data(), partial.data(), rows, n);
  // Few rows have a large rstd, by which all rounding of the input is multiplied.
  Exact<T> rstd = 1;
  for (auto i = static_cast<size_t>(2 * n); i < want.statistics.size(); ++i) rstd = std::max(rstd, want.statistics[i]);
  const double error = static_cast<double>(rstd) * kTolerance<T>;
  CHECK(difference(y.values(), want.y, error, error) == "");
  CHECK(difference(statistics.values(), want.statistics, error, error) == "");

  Guarded<T> dx(rows * n, 1), dgamma(n, 2), dbeta(n, offset);
  batch_norm_grad(x.data(), gamma.data(), statistics.data(), dy.data(), dx.data(), dgamma.data(), dbeta.data(),
                  partial.data(), rows, n);
  const double grad_error = 4 * error * static_cast<double>(rstd), sum_error = error * static_cast<double>(rows + 1);
  CHECK(difference(dx.values(), want.dx, grad_error, grad_error) == "");
  CHECK(difference(dgamma.values(), want.dgamma, sum_error, sum_error) == "");
  CHECK(difference(dbeta.values(), want.dbeta, sum_error, sum_error) == "");
  CHECK((y.intact() && statistics.intact() && partial.intact()));
  CHECK((dx.intact() && dgamma.intact() && dbeta.intact()));
}

}  // namespace

TEST_CASE_TEMPLATE("batch_norm: values, statistics and gradients at every size and alignment", T, float, double) {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      for (int64_t offset = 0; offset < 4 && n > 0; ++offset) check_batch_norm<T>(2 + n % 5, n, offset);
    }
    for (int64_t rows : {1, 15, 16, 17, 33, 255, 1023, 1025, 2100}) check_batch_norm<T>(rows, 7, 1);
  });
}

TEST_CASE_TEMPLATE("batch_norm: a constant column gives beta", T, float, double) {
  for_each_instruction_set([] {
    const std::vector<T> x(21, T(2.5)), gamma{3}, beta{T(0.5)};
    std::vector<T> y(21), statistics(3), partial(static_cast<size_t>(2 * batch_norm_pieces(21)));
    batch_norm(x.data(), gamma.data(), beta.data(), kBatchEpsilon, y.data(), statistics.data(), partial.data(), 21, 1);
    CHECK(difference(y, std::vector<double>(21, 0.5), 0, sizeof(T) == 4 ? 1e-4 : 1e-12) == "");
    CHECK(statistics[0] == doctest::Approx(2.5));
    CHECK(statistics[2] == doctest::Approx(1 / std::sqrt(kBatchEpsilon)).epsilon(1e-4));
  });
}

TEST_CASE_TEMPLATE("batch_norm: the same bits on any number of threads", T, float, double) {
  constexpr int64_t rows = 1503, n = 67;
  const auto x = random_values<T>(rows * n, 1), dy = random_values<T>(rows * n, 2);
  const auto gamma = random_values<T>(n, 3), beta = random_values<T>(n, 4);
  check_same_bits_on_any_threads([&] {
    std::vector<T> y(rows * n), statistics(3 * n), dx(rows * n), dgamma(n), dbeta(n);
    std::vector<T> partial(static_cast<size_t>(2 * n * batch_norm_pieces(rows)));
    batch_norm(x.data(), gamma.data(), beta.data(), kBatchEpsilon, y.data(), statistics.data(), partial.data(), rows,
               n);
    batch_norm_grad(x.data(), gamma.data(), statistics.data(), dy.data(), dx.data(), dgamma.data(), dbeta.data(),
                    partial.data(), rows, n);
    return joined<T>({y, statistics, dx, dgamma, dbeta});
  });
}

#include "autograd/kernels/norm.h"

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

constexpr double kEpsilon = 1e-5;

template <class T>
void check_layer_norm(int64_t rows, int64_t n, int64_t offset) {
  CAPTURE(rows);
  CAPTURE(n);
  CAPTURE(offset);
  const auto values = random_values<T>(rows * n, static_cast<uint64_t>(n), -2, 3);
  const auto gammas = random_values<T>(n, 2, 0.5, 1.5), betas = random_values<T>(n, 3);
  const auto grads = random_values<T>(rows * n, 4);
  const auto want = reference::layer_norm<Exact<T>>(reference::exact(values), reference::exact(gammas),
                                                    reference::exact(betas), Exact<T>(kEpsilon), rows, n);
  Guarded<T> x(values, offset), gamma(gammas, 3 - offset), beta(betas, 1), y(rows * n, offset), statistics(2 * rows, 3);
  layer_norm(x.data(), gamma.data(), beta.data(), kEpsilon, y.data(), statistics.data(), rows, n);
  // Two close numbers have a large rstd, by which all rounding of the input is multiplied.
  Exact<T> rstd = 1;
  for (int64_t row = 0; row < rows; ++row) rstd = std::max(rstd, want.statistics[static_cast<size_t>(2 * row + 1)]);
  const double error = static_cast<double>(rstd) * kTolerance<T>;
  CHECK(difference(y.values(), want.y, error, error) == "");
  CHECK(difference(statistics.values(), want.statistics, error, error) == "");
  CHECK((y.intact() && statistics.intact()));

  const auto grad_want = reference::layer_norm_grad(reference::exact(values), reference::exact(gammas), want.statistics,
                                                    reference::exact(grads), rows, n);
  const int64_t pieces = layer_norm_pieces(rows);
  Guarded<T> dy(grads, 3 - offset), dx(rows * n, 1), dgamma(n, 2), dbeta(n, offset), partial(2 * n * pieces, 0);
  layer_norm_grad(x.data(), gamma.data(), statistics.data(), dy.data(), false, dx.data(), dgamma.data(), dbeta.data(),
                  partial.data(), rows, n);
  const double grad_error = 4 * error * static_cast<double>(rstd), sum_error = error * static_cast<double>(rows + 1);
  CHECK(difference(dx.values(), grad_want.dx, grad_error, grad_error) == "");
  CHECK(difference(dgamma.values(), grad_want.dgamma, sum_error, sum_error) == "");
  CHECK(difference(dbeta.values(), grad_want.dbeta, sum_error, sum_error) == "");
  CHECK((dx.intact() && dgamma.intact() && dbeta.intact() && partial.intact()));

  const auto before = random_values<T>(rows * n, 5);
  Guarded<T> added(before, 1);
  layer_norm_grad(x.data(), gamma.data(), statistics.data(), dy.data(), true, added.data(), dgamma.data(), dbeta.data(),
                  partial.data(), rows, n);
  auto added_want = grad_want.dx;
  for (size_t i = 0; i < before.size(); ++i) added_want[i] += before[i];
  CHECK(difference(added.values(), added_want, grad_error, grad_error) == "");
  CHECK(added.intact());
}

}  // namespace

TEST_CASE_TEMPLATE("layer_norm: values, statistics and gradients at every size and alignment", T, float, double) {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      for (int64_t offset = 0; offset < 4 && n > 0; ++offset) check_layer_norm<T>(1 + n % 5, n, offset);
    }
    for (int64_t rows : {0, 15, 16, 17, 32, 33, 255, 257, 300}) check_layer_norm<T>(rows, 19, 1);
    check_layer_norm<T>(40, 1, 0);
  });
}

TEST_CASE_TEMPLATE("layer_norm: a constant row gives beta", T, float, double) {
  for_each_instruction_set([] {
    const std::vector<T> x(21, T(2.5)), gamma(21, T(3)), beta(21, T(0.5));
    std::vector<T> y(21), statistics(2);
    layer_norm(x.data(), gamma.data(), beta.data(), kEpsilon, y.data(), statistics.data(), 1, 21);
    CHECK(difference(y, std::vector<double>(21, 0.5), 0, sizeof(T) == 4 ? 1e-3 : 1e-11) == "");
    CHECK(statistics[0] == doctest::Approx(2.5));
    CHECK(statistics[1] == doctest::Approx(1 / std::sqrt(kEpsilon)).epsilon(1e-4));
  });
}

TEST_CASE_TEMPLATE("layer_norm: a large mean costs no more digits than the input has lost already", T, float, double) {
  for_each_instruction_set([] {
    constexpr int64_t n = 64;
    const T mean = sizeof(T) == 4 ? T(1e4) : T(1e8);
    auto values = random_values<T>(n, 1);
    for (T& value : values) value += mean;
    const std::vector<T> gamma(n, T(1)), beta(n, T(0));
    const auto want = reference::layer_norm<Exact<T>>(reference::exact(values), reference::exact(gamma),
                                                      reference::exact(beta), Exact<T>(kEpsilon), 1, n);
    std::vector<T> y(n), statistics(2);
    layer_norm(values.data(), gamma.data(), beta.data(), kEpsilon, y.data(), statistics.data(), 1, n);
    const double error = 4 * static_cast<double>(mean) * kTolerance<T> / 16;
    CHECK(difference(y, want.y, error, error) == "");
  });
}

TEST_CASE_TEMPLATE("layer_norm: the same bits on any number of threads", T, float, double) {
  constexpr int64_t rows = 503, n = 131;
  const auto x = random_values<T>(rows * n, 1), dy = random_values<T>(rows * n, 2);
  const auto gamma = random_values<T>(n, 3), beta = random_values<T>(n, 4);
  check_same_bits_on_any_threads([&] {
    std::vector<T> y(rows * n), statistics(2 * rows), dx(rows * n), dgamma(n), dbeta(n);
    std::vector<T> partial(static_cast<size_t>(2 * n * layer_norm_pieces(rows)));
    layer_norm(x.data(), gamma.data(), beta.data(), kEpsilon, y.data(), statistics.data(), rows, n);
    layer_norm_grad(x.data(), gamma.data(), statistics.data(), dy.data(), false, dx.data(), dgamma.data(), dbeta.data(),
                    partial.data(), rows, n);
    return joined<T>({y, statistics, dx, dgamma, dbeta});
  });
}

#include "autograd/kernels/cross_entropy.h"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <vector>

#include "tests/kernels/buffers.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;
using reference::Exact;

namespace {

constexpr int32_t kIgnored = -1;

// Every fourth row ignored, the others with targets all over [0, n).
std::vector<int32_t> targets_for(int64_t rows, int64_t n) {
  std::vector<int32_t> targets;
  for (int64_t row = 0; row < rows; ++row)
    targets.push_back(row % 4 == 2 ? kIgnored : static_cast<int32_t>((row * 7 + 3) % n));
  return targets;
}

template <class E>
struct PlainCrossEntropy {
  std::vector<E> losses, log_sums, dx;
};

template <class E>
PlainCrossEntropy<E> plain(const std::vector<E>& x, const std::vector<int32_t>& targets, E smoothing, E scale,
                           int64_t n) {
  PlainCrossEntropy<E> result{{}, {}, std::vector<E>(x.size())};
  for (size_t row = 0; row < targets.size(); ++row) {
    const E* from = x.data() + row * static_cast<size_t>(n);
    E* dx = result.dx.data() + row * static_cast<size_t>(n);
    const bool counts = targets[row] != kIgnored;
    result.losses.push_back(counts ? reference::cross_entropy(from, targets[row], smoothing, n) : 0);
    result.log_sums.push_back(counts ? reference::log_sum_exp(from, n) : 0);
    for (int64_t i = 0; counts && i < n; ++i) {
      const E wanted = (1 - smoothing) * (i == targets[row] ? 1 : 0) + smoothing / static_cast<E>(n);
      dx[i] = scale * (std::exp(from[i] - result.log_sums.back()) - wanted);
    }
  }
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("cross_entropy: losses and gradients at every size and alignment", T, float, double) {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      if (n == 0) continue;
      for (double smoothing : {0.0, 0.1, 1.0}) {
        const int64_t offset = n % 4, rows = n % 7;
        CAPTURE(n);
        CAPTURE(rows);
        CAPTURE(smoothing);
        const auto values = random_values<T>(rows * n, static_cast<uint64_t>(n), -5, 5);
        const auto targets = targets_for(rows, n);
        const auto want = plain<Exact<T>>(reference::exact(values), targets, Exact<T>(smoothing), Exact<T>(0.25), n);
        Guarded<T> x(values, offset), losses(rows, 3 - offset), log_sums(rows, 1), dx(rows * n, 2);
        cross_entropy(x.data(), targets.data(), kIgnored, smoothing, losses.data(), log_sums.data(), rows, n);
        CHECK(difference(losses.values(), want.losses, kTolerance<T>, 5 * kTolerance<T>) == "");
        CHECK(difference(log_sums.values(), want.log_sums) == "");
        cross_entropy_grad(x.data(), targets.data(), kIgnored, smoothing, log_sums.data(), 0.25, dx.data(), rows, n);
        CHECK(difference(dx.values(), want.dx) == "");
        cross_entropy_grad(x.data(), targets.data(), kIgnored, smoothing, log_sums.data(), 0.25, x.data(), rows, n);
        CHECK(x.values() == dx.values());
        CHECK((losses.intact() && log_sums.intact() && dx.intact() && x.intact()));
      }
    }
  });
}

TEST_CASE_TEMPLATE("cross_entropy: large logits and -infinity", T, float, double) {
  for_each_instruction_set([] {
    const std::vector<T> x{T(1e4), T(-1e4), -kInfinity<T>, T(1e4), T(-1e4), -kInfinity<T>, T(3), T(3), -kInfinity<T>};
    const std::vector<int32_t> targets{0, 1, 1};
    std::vector<T> losses(3), log_sums(3), dx(9);
    cross_entropy(x.data(), targets.data(), kIgnored, 0, losses.data(), log_sums.data(), 3, 3);
    CHECK(difference(losses, std::vector<double>{0, 2e4, std::log(2.0)}) == "");
    cross_entropy_grad(x.data(), targets.data(), kIgnored, 0, log_sums.data(), 1, dx.data(), 3, 3);
    CHECK(difference(dx, std::vector<double>{0, 0, 0, 1, -1, 0, 0.5, -0.5, 0}) == "");
  });
}

TEST_CASE_TEMPLATE("cross_entropy: a NaN shows in the loss and the gradient, wherever it stands", T, float, double) {
  for_each_instruction_set([] {
    for (const size_t n : std::initializer_list<size_t>{2, 5, 17, 40}) {
      for (size_t where = 0; where < n; ++where) {
        CAPTURE(n);
        CAPTURE(where);
        std::vector<T> x(n, T(1)), dx(n);
        x[where] = kNaN<T>;
        const int32_t target = where == 0 ? 1 : 0;
        T loss, log_sum;
        cross_entropy(x.data(), &target, kIgnored, 0, &loss, &log_sum, 1, static_cast<int64_t>(n));
        CHECK(std::isnan(loss));
        cross_entropy_grad(x.data(), &target, kIgnored, 0, &log_sum, 1, dx.data(), 1, static_cast<int64_t>(n));
        for (T value : dx) CHECK(std::isnan(value));
      }
    }
  });
}

TEST_CASE_TEMPLATE("cross_entropy: an ignored row is not read", T, float, double) {
  const std::vector<T> x(20, kNaN<T>);
  T loss = 1, log_sum = 1;
  std::vector<T> dx(20, T(1));
  cross_entropy(x.data(), &kIgnored, kIgnored, 0.1, &loss, &log_sum, 1, 20);
  cross_entropy_grad(x.data(), &kIgnored, kIgnored, 0.1, &log_sum, 1, dx.data(), 1, 20);
  CHECK(loss == 0);
  CHECK(log_sum == 0);
  CHECK(dx == std::vector<T>(20, T(0)));
}

TEST_CASE_TEMPLATE("cross_entropy: the same bits on any number of threads", T, float, double) {
  constexpr int64_t rows = 203, n = 301;
  const auto x = random_values<T>(rows * n, 1, -5, 5);
  const auto targets = targets_for(rows, n);
  check_same_bits_on_any_threads([&] {
    std::vector<T> losses(rows), log_sums(rows), dx(rows * n);
    cross_entropy(x.data(), targets.data(), kIgnored, 0.1, losses.data(), log_sums.data(), rows, n);
    cross_entropy_grad(x.data(), targets.data(), kIgnored, 0.1, log_sums.data(), 0.5, dx.data(), rows, n);
    return joined<T>({losses, log_sums, dx});
  });
}

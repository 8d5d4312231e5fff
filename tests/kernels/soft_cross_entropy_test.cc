#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <vector>

#include "autograd/kernels/cross_entropy.h"
#include "tests/kernels/buffers.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;
using reference::Exact;

namespace {

template <class E>
struct PlainSoftCrossEntropy {
  std::vector<E> losses, log_sums, dx;
};

template <class E>
PlainSoftCrossEntropy<E> plain(const std::vector<E>& x, const std::vector<E>& targets, E smoothing, E scale,
                               int64_t rows, int64_t n) {
  PlainSoftCrossEntropy<E> result{{}, {}, std::vector<E>(x.size())};
  for (int64_t row = 0; row < rows; ++row) {
    const E *from = x.data() + row * n, *target = targets.data() + row * n;
    const E log_sum = reference::log_sum_exp(from, n);
    const auto weight = [&](int64_t k) { return (1 - smoothing) * target[k] + smoothing / static_cast<E>(n); };
    E loss = 0, total = 0;
    for (int64_t k = 0; k < n; ++k) {
      loss += weight(k) * (log_sum - from[k]);
      total += weight(k);
    }
    for (int64_t k = 0; k < n; ++k)
      result.dx[static_cast<size_t>(row * n + k)] = scale * (std::exp(from[k] - log_sum) * total - weight(k));
    result.losses.push_back(loss);
    result.log_sums.push_back(log_sum);
  }
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("soft_cross_entropy: losses and gradients at every size and alignment", T, float, double) {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      if (n == 0) continue;
      for (double smoothing : {0.0, 0.1, 1.0}) {
        const int64_t offset = n % 4, rows = n % 7;
        CAPTURE(n);
        CAPTURE(smoothing);
        const auto values = random_values<T>(rows * n, static_cast<uint64_t>(n), -5, 5);
        const auto weights = random_values<T>(rows * n, 2, 0, 2 / static_cast<double>(n));
        const auto want = plain<Exact<T>>(reference::exact(values), reference::exact(weights), Exact<T>(smoothing),
                                          Exact<T>(0.25), rows, n);
        Guarded<T> x(values, offset), targets(weights, 3 - offset);
        Guarded<T> losses(rows, 3 - offset), log_sums(rows, 1), dx(rows * n, 2);
        soft_cross_entropy(x.data(), targets.data(), smoothing, losses.data(), log_sums.data(), rows, n);
        CHECK(difference(losses.values(), want.losses, 4 * kTolerance<T>, 5 * kTolerance<T>) == "");
        CHECK(difference(log_sums.values(), want.log_sums) == "");
        soft_cross_entropy_grad(x.data(), targets.data(), smoothing, log_sums.data(), 0.25, dx.data(), rows, n);
        CHECK(difference(dx.values(), want.dx) == "");
        soft_cross_entropy_grad(x.data(), targets.data(), smoothing, log_sums.data(), 0.25, x.data(), rows, n);
        CHECK(x.values() == dx.values());
        CHECK((losses.intact() && log_sums.intact() && dx.intact() && x.intact()));
      }
    }
  });
}

TEST_CASE_TEMPLATE("soft_cross_entropy: large logits, and minus infinity where the target is 0", T, float, double) {
  for_each_instruction_set([] {
    const std::vector<T> x{T(1e4), T(-1e4), -kInfinity<T>, T(3), T(3), -kInfinity<T>};
    const std::vector<T> targets{T(0.5), T(0.5), T(0), T(0.25), T(0.75), T(0)};
    std::vector<T> losses(2), log_sums(2), dx(6);
    soft_cross_entropy(x.data(), targets.data(), 0, losses.data(), log_sums.data(), 2, 3);
    CHECK(difference(losses, std::vector<double>{1e4, std::log(2.0)}) == "");
    soft_cross_entropy_grad(x.data(), targets.data(), 0, log_sums.data(), 1, dx.data(), 2, 3);
    CHECK(difference(dx, std::vector<double>{0.5, -0.5, 0, 0.25, -0.25, 0}) == "");
  });
}

TEST_CASE_TEMPLATE("soft_cross_entropy: a NaN shows in the loss and the gradient, wherever it stands", T, float,
                   double) {
  for_each_instruction_set([] {
    for (const size_t n : std::initializer_list<size_t>{2, 5, 17, 40}) {
      for (size_t where = 0; where < n; ++where) {
        CAPTURE(n);
        CAPTURE(where);
        std::vector<T> x(n, T(1)), dx(n), targets(n, T(0));
        x[where] = kNaN<T>;
        targets[where == 0 ? 1 : 0] = 1;
        T loss, log_sum;
        soft_cross_entropy(x.data(), targets.data(), 0, &loss, &log_sum, 1, static_cast<int64_t>(n));
        CHECK(std::isnan(loss));
        soft_cross_entropy_grad(x.data(), targets.data(), 0, &log_sum, 1, dx.data(), 1, static_cast<int64_t>(n));
        for (T value : dx) CHECK(std::isnan(value));
      }
    }
  });
}

TEST_CASE_TEMPLATE("soft_cross_entropy: the same bits on any number of threads", T, float, double) {
  constexpr int64_t rows = 203, n = 301;
  const auto x = random_values<T>(rows * n, 1, -5, 5), targets = random_values<T>(rows * n, 2, 0, 1.0 / n);
  check_same_bits_on_any_threads([&] {
    std::vector<T> losses(rows), log_sums(rows), dx(rows * n);
    soft_cross_entropy(x.data(), targets.data(), 0.1, losses.data(), log_sums.data(), rows, n);
    soft_cross_entropy_grad(x.data(), targets.data(), 0.1, log_sums.data(), 0.5, dx.data(), rows, n);
    return joined<T>({losses, log_sums, dx});
  });
}

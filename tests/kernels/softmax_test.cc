#include "autograd/kernels/softmax.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <type_traits>
#include <vector>

#include "tests/kernels/buffers.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;

namespace {

template <class T>
std::vector<T> softmax_of(const std::vector<T>& x) {
  std::vector<T> y(x.size());
  softmax(x.data(), y.data(), 1, static_cast<int64_t>(x.size()));
  return y;
}
template <class T>
std::vector<T> log_softmax_of(const std::vector<T>& x) {
  std::vector<T> y(x.size());
  log_softmax(x.data(), y.data(), 1, static_cast<int64_t>(x.size()));
  return y;
}

template <class T>
bool all_nan(const std::vector<T>& x) {
  for (T value : x) {
    if (!std::isnan(value)) return false;
  }
  return true;
}

template <class T>
T nan_with_payload(size_t payload) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  return std::bit_cast<T>(std::bit_cast<Bits>(kNaN<T>) | static_cast<Bits>(payload));
}

}  // namespace

TEST_CASE_TEMPLATE("softmax and log_softmax: every size and alignment, in place too", T, float, double) {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      for (int64_t offset = 0; offset < 4; ++offset) {
        const int64_t rows = n % 4;
        CAPTURE(n);
        CAPTURE(rows);
        const auto values = random_values<T>(rows * n, static_cast<uint64_t>(n), -5, 5);
        Guarded<T> x(values, offset), y(rows * n, 3 - offset);
        softmax(x.data(), y.data(), rows, n);
        CHECK(difference(y.values(), reference::softmax(reference::exact(values), rows, n)) == "");
        CHECK(y.intact());
        softmax(x.data(), x.data(), rows, n);
        CHECK(x.values() == y.values());
        CHECK(x.intact());

        x = Guarded<T>(values, offset);
        log_softmax(x.data(), y.data(), rows, n);
        CHECK(difference(y.values(), reference::log_softmax(reference::exact(values), rows, n)) == "");
        CHECK(y.intact());
        log_softmax(x.data(), x.data(), rows, n);
        CHECK(x.values() == y.values());
        CHECK(x.intact());
      }
    }
  });
}

TEST_CASE_TEMPLATE("softmax_grad and log_softmax_grad: every size and alignment, in place too", T, float, double) {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      for (int64_t offset = 0; offset < 4; ++offset) {
        const int64_t rows = n % 4;
        CAPTURE(n);
        CAPTURE(rows);
        const auto values = random_values<T>(rows * n, static_cast<uint64_t>(n), 0, 1);
        const auto grads = random_values<T>(rows * n, static_cast<uint64_t>(n) + 1000);
        const auto dy_exact = reference::exact(grads);
        Guarded<T> y(values, offset), dy(grads, 3 - offset), dx(rows * n, 1);
        softmax_grad(y.data(), dy.data(), dx.data(), rows, n);
        const double error = kTolerance<T> * std::sqrt(static_cast<double>(n + 1));
        CHECK(difference(dx.values(), reference::softmax_grad(reference::exact(values), dy_exact, rows, n), error,
                         error) == "");
        CHECK(dx.intact());
        softmax_grad(y.data(), dy.data(), dy.data(), rows, n);
        CHECK(dy.values() == dx.values());
        CHECK(dy.intact());

        dy = Guarded<T>(grads, 3 - offset);
        log_softmax_grad(y.data(), dy.data(), dx.data(), rows, n);
        CHECK(difference(dx.values(), reference::log_softmax_grad(reference::exact(values), dy_exact, rows, n), error,
                         error) == "");
        CHECK(dx.intact());
        log_softmax_grad(y.data(), dy.data(), dy.data(), rows, n);
        CHECK(dy.values() == dx.values());
        CHECK(dy.intact());
      }
    }
  });
}

TEST_CASE_TEMPLATE("softmax: large values and -infinity", T, float, double) {
  for_each_instruction_set([] {
    constexpr T inf = kInfinity<T>;
    for (const size_t n : std::initializer_list<size_t>{2, 5, 17, 40}) {
      CAPTURE(n);
      for (T level : {T(-1e30), T(-1000), T(1000), T(1e30)}) {
        for (T p : softmax_of(std::vector<T>(n, level))) CHECK(p == doctest::Approx(1.0 / static_cast<double>(n)));
      }
      std::vector<T> x(n, -inf);
      x[n / 2] = T(-3);
      std::vector<T> want(n, T(0)), log_want(n, -inf);
      want[n / 2] = 1;
      log_want[n / 2] = 0;
      CHECK(softmax_of(x) == want);
      CHECK(log_softmax_of(x) == log_want);
      x.assign(n, T(-1e4));
      x[n - 1] = T(1e4);
      want.assign(n, T(0));
      want[n - 1] = 1;
      log_want.assign(n, T(-2e4));
      log_want[n - 1] = 0;
      CHECK(softmax_of(x) == want);
      CHECK(log_softmax_of(x) == log_want);
    }
  });
}

TEST_CASE_TEMPLATE("softmax: a NaN anywhere, infinity, or nothing but -infinity makes the row NaN", T, float, double) {
  for_each_instruction_set([] {
    for (const size_t n : std::initializer_list<size_t>{1, 2, 5, 17, 40, 64}) {
      for (size_t where = 0; where < n; ++where) {
        for (size_t payload = 0; payload < 4; ++payload) {
          for (T rest : {T(1), -kInfinity<T>}) {
            CAPTURE(n);
            CAPTURE(where);
            CAPTURE(payload);
            std::vector<T> x(n, rest);
            x[where] = nan_with_payload<T>(payload);
            CHECK(all_nan(softmax_of(x)));
            CHECK(all_nan(log_softmax_of(x)));
          }
        }
      }
      CHECK(all_nan(softmax_of(std::vector<T>(n, -kInfinity<T>))));
      CHECK(all_nan(log_softmax_of(std::vector<T>(n, -kInfinity<T>))));
      CHECK(all_nan(softmax_of(std::vector<T>(n, kInfinity<T>))));
    }
  });
}

TEST_CASE_TEMPLATE("log_softmax_grad: passes over -infinity, keeps a NaN", T, float, double) {
  for_each_instruction_set([] {
    const std::vector<T> y{-kInfinity<T>, T(0), kNaN<T>}, dy{T(1), T(2), T(3)};
    std::vector<T> dx(3);
    log_softmax_grad(y.data(), dy.data(), dx.data(), 1, 3);
    CHECK(dx[0] == 1);
    CHECK(dx[1] == T(-4));
    CHECK(std::isnan(dx[2]));
  });
}

TEST_CASE_TEMPLATE("softmax: the same bits on any number of threads", T, float, double) {
  constexpr int64_t rows = 203, n = 301;
  const auto x = random_values<T>(rows * n, 1, -5, 5), dy = random_values<T>(rows * n, 2);
  check_same_bits_on_any_threads([&] {
    std::vector<T> y(rows * n), log_y(rows * n), dx(rows * n), log_dx(rows * n);
    softmax(x.data(), y.data(), rows, n);
    log_softmax(x.data(), log_y.data(), rows, n);
    softmax_grad(y.data(), dy.data(), dx.data(), rows, n);
    log_softmax_grad(log_y.data(), dy.data(), log_dx.data(), rows, n);
    return joined<T>({y, log_y, dx, log_dx});
  });
}

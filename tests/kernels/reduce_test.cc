#include "autograd/kernels/reduce.h"

#include <doctest/doctest.h>

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

template <class T>
void check_sum(int64_t outer, int64_t n, int64_t inner, int64_t offset) {
  CAPTURE(outer);
  CAPTURE(n);
  CAPTURE(inner);
  const auto values = random_values<T>(outer * n * inner, static_cast<uint64_t>(n));
  Guarded<T> x(values, offset), y(outer * inner, 3 - offset);
  sum(x.data(), y.data(), outer, n, inner);
  const double error = kTolerance<T> * std::sqrt(static_cast<double>(n + 1));
  CHECK(difference(y.values(), reference::sum(reference::exact(values), outer, n, inner), error, error) == "");
  CHECK(y.intact());
}

template <class T>
std::vector<int32_t> argmax_of(const std::vector<T>& x, int64_t outer, int64_t n, int64_t inner) {
  Guarded<int32_t> indices(outer * inner, 1);
  argmax(x.data(), indices.data(), outer, n, inner);
  CHECK(indices.intact());
  return indices.values();
}

}  // namespace

TEST_CASE_TEMPLATE("sum: over rows, columns and the middle, at every size and alignment", T, float, double) {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      for (int64_t offset = 0; offset < 4; ++offset) {
        check_sum<T>(3, n, 1, offset);
        check_sum<T>(1, 5, n, offset);
        check_sum<T>(2, n, 3, offset);
        check_sum<T>(n, 2, 2, offset);
      }
    }
    check_sum<T>(1, 20000, 1, 1);
    check_sum<T>(1, 2000, 3, 1);
    for (int64_t n : {20000, 20003}) check_sum<T>(1, n, 3, 1);
    for (int64_t outer : {1, 3, 20}) check_sum<T>(outer, 700, 66, 2);
    for (int64_t inner : {1023, 1025, 2500, 40000}) check_sum<T>(2, 40, inner, 3);
    check_sum<T>(0, 4, 4, 0);
    check_sum<T>(4, 4, 0, 0);
  });
}

TEST_CASE_TEMPLATE("argmax: the first of the largest", T, float, double) {
  constexpr T nan = kNaN<T>, inf = kInfinity<T>;
  CHECK(argmax_of<T>({3}, 1, 1, 1) == std::vector<int32_t>{0});
  CHECK(argmax_of<T>({1, 5, 5, 2, 5}, 1, 5, 1) == std::vector<int32_t>{1});
  CHECK(argmax_of<T>({-inf, -inf, -inf}, 1, 3, 1) == std::vector<int32_t>{0});
  CHECK(argmax_of<T>({0, T(-0.0), 0}, 1, 3, 1) == std::vector<int32_t>{0});
  CHECK(argmax_of<T>({1, inf, nan, inf, nan}, 1, 5, 1) == std::vector<int32_t>{2});
  CHECK(argmax_of<T>({nan, 7, nan}, 1, 3, 1) == std::vector<int32_t>{0});
  CHECK(argmax_of<T>({1, 6, 5, 2, 3, 6, 9, 0, 9, 8, 7, 9}, 2, 3, 2) == std::vector<int32_t>{1, 0, 0, 2});
}

TEST_CASE_TEMPLATE("argmax: equals the plain loop", T, float, double) {
  for (int64_t n : sizes()) {
    if (n == 0) continue;
    for (int64_t inner : {1, 3}) {
      constexpr int64_t outer = 4;
      auto x = random_values<T>(outer * n * inner, static_cast<uint64_t>(n), 0, 10);
      for (T& value : x) value = std::floor(value);  // many ties
      std::vector<int32_t> want;
      for (int64_t o = 0; o < outer; ++o) {
        for (int64_t i = 0; i < inner; ++i) {
          const auto at = [&](int64_t k) { return x[static_cast<size_t>((o * n + k) * inner + i)]; };
          int64_t best = 0;
          for (int64_t k = 1; k < n; ++k) best = at(k) > at(best) ? k : best;
          want.push_back(static_cast<int32_t>(best));
        }
      }
      CAPTURE(n);
      CHECK(argmax_of(x, outer, n, inner) == want);
    }
  }
}

TEST_CASE_TEMPLATE("sum_of_squares: at every size and alignment", T, float, double) {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      for (int64_t offset = 0; offset < 4; ++offset) {
        CAPTURE(n);
        Guarded<T> x(random_values<T>(n, 3), offset);
        long double want = 0;
        for (T value : x.values()) want += static_cast<long double>(value) * value;
        CHECK(difference<double, long double>({sum_of_squares(x.data(), n)}, {want}) == "");
      }
    }
  });
}

TEST_CASE("sum_of_squares: floats whose squares no float can hold") {
  for_each_instruction_set([] {
    for (int64_t n : {1, 5, 33, 3001}) {
      for (float value : {1e-30f, 1e30f}) {
        const std::vector<float> x(static_cast<size_t>(n), value);
        const double want = static_cast<double>(n) * double(value) * double(value);
        CHECK(sum_of_squares(x.data(), n) == doctest::Approx(want).epsilon(1e-12));
      }
    }
    const std::vector<float> x{1, kNaN<float>, 2};
    CHECK(std::isnan(sum_of_squares(x.data(), 3)));
  });
}

TEST_CASE_TEMPLATE("add_to: at every size and alignment", T, float, double) {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      for (int64_t offset = 0; offset < 4; ++offset) {
        Guarded<T> x(random_values<T>(n, 1), offset), y(random_values<T>(n, 2), 3 - offset);
        std::vector<T> want = y.values();
        for (size_t i = 0; i < want.size(); ++i) want[i] += x.data()[i];
        add_to(x.data(), y.data(), n);
        CHECK(y.values() == want);
        CHECK(y.intact());
      }
    }
  });
}

TEST_CASE_TEMPLATE("reduce: the same bits on any number of threads", T, float, double) {
  constexpr int64_t n = 120 * 1001;
  const auto x = random_values<T>(n, 1);
  check_same_bits_on_any_threads([&] {
    std::vector<T> rows(120), columns(1001), few(24), middle(60), total(1), doubled = x;
    sum(x.data(), rows.data(), 120, 1001, 1);
    sum(x.data(), columns.data(), 1, 120, 1001);
    sum(x.data(), few.data(), 1, n / 24, 24);
    sum(x.data(), middle.data(), 10, n / 60, 6);
    sum(x.data(), total.data(), 1, n, 1);
    add_to(x.data(), doubled.data(), n);
    return joined<T>({rows, columns, few, middle, total, doubled});
  });
  check_same_bits_on_any_threads([&] { return std::vector<double>{sum_of_squares(x.data(), n)}; });
  check_same_bits_on_any_threads([&] {
    std::vector<int32_t> indices(1001);
    argmax(x.data(), indices.data(), 1001, 120, 1);
    return indices;
  });
}

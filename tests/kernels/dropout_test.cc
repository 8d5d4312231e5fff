#include "autograd/kernels/dropout.h"

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
using reference::keeps;

namespace {

DropoutDraw draw_of(double p, uint64_t seed = 0x123456789abcdef0, uint64_t step = 77, uint32_t op = 5) {
  return {seed, step, op, static_cast<uint32_t>(p * 4294967296.0), 1 / (1 - p)};
}

template <class T>
std::vector<T> dropped(const DropoutDraw& draw, const std::vector<T>& x) {
  std::vector<T> y(x.size());
  dropout(draw, x.data(), y.data(), static_cast<int64_t>(x.size()));
  return y;
}

}  // namespace

TEST_CASE_TEMPLATE("dropout: the scalar definition, at every size and alignment, in place too", T, float, double) {
  const DropoutDraw draw = draw_of(0.3);
  for_each_instruction_set([&] {
    for (int64_t n : sizes()) {
      for (int64_t offset = 0; offset < 4; ++offset) {
        CAPTURE(n);
        const auto values = random_values<T>(n, 3);
        std::vector<T> want;
        for (int64_t i = 0; i < n; ++i)
          want.push_back(keeps(draw, i) ? values[static_cast<size_t>(i)] * static_cast<T>(draw.scale) : T(0));
        Guarded<T> x(values, offset), y(n, 3 - offset);
        dropout(draw, x.data(), y.data(), n);
        CHECK(y.values() == want);
        CHECK(y.intact());
        dropout(draw, x.data(), x.data(), n);
        CHECK(x.values() == want);
        CHECK(x.intact());
      }
    }
  });
}

TEST_CASE_TEMPLATE("dropout: the definition holds across pieces, on any number of threads", T, float, double) {
  const DropoutDraw draw = draw_of(0.5);
  const std::vector<T> ones(20011, T(1));
  for_each_instruction_set([&] {
    std::vector<T> want;
    for (int64_t i = 0; i < 20011; ++i) want.push_back(keeps(draw, i) ? T(2) : T(0));
    CHECK(dropped(draw, ones) == want);
    check_same_bits_on_any_threads([&] { return dropped(draw, ones); });
  });
}

TEST_CASE("dropout: floats and doubles, forward and backward draw the same mask") {
  const DropoutDraw draw = draw_of(0.2);
  const auto x = dropped(draw, std::vector<float>(5000, 1)), dy = dropped(draw, std::vector<float>(5000, -3));
  const auto wide = dropped(draw, std::vector<double>(5000, 1));
  for (size_t i = 0; i < 5000; ++i) {
    REQUIRE((x[i] == 0) == (dy[i] == 0));
    REQUIRE((x[i] == 0) == (wide[i] == 0));
  }
}

TEST_CASE("dropout: keeps its share, whatever the seed, step and op") {
  constexpr int64_t n = 200000;
  const std::vector<float> ones(n, 1);
  for (double p : {0.01, 0.1, 0.5, 0.9}) {
    for (uint64_t run = 0; run < 4; ++run) {
      CAPTURE(p);
      CAPTURE(run);
      const auto y = dropped(draw_of(p, run << 40, run, static_cast<uint32_t>(run)), ones);
      double kept = 0;
      for (float value : y) kept += value != 0;
      CHECK(std::abs(kept - n * (1 - p)) < 4 * std::sqrt(n * p * (1 - p)));
    }
  }
}

TEST_CASE("dropout: seed, step and op each change the mask, neighbours are independent") {
  constexpr size_t n = 100000;
  const std::vector<float> ones(n, 1);
  const auto base = dropped(draw_of(0.5, 1, 1, 1), ones);
  const auto agreement = [&](const std::vector<float>& other, size_t shift) {
    double equal = 0;
    for (size_t i = 0; i < n; ++i) equal += (base[i] == 0) == (other[(i + shift) % n] == 0);
    return equal / n;
  };
  const double error = 4 * 0.5 / std::sqrt(double(n));
  CHECK(std::abs(agreement(dropped(draw_of(0.5, 2, 1, 1), ones), 0) - 0.5) < error);
  CHECK(std::abs(agreement(dropped(draw_of(0.5, 1 + (uint64_t{1} << 32), 1, 1), ones), 0) - 0.5) < error);
  CHECK(std::abs(agreement(dropped(draw_of(0.5, 1, 2, 1), ones), 0) - 0.5) < error);
  CHECK(std::abs(agreement(dropped(draw_of(0.5, 1, 1, 2), ones), 0) - 0.5) < error);
  for (const size_t shift : std::initializer_list<size_t>{1, 16, 64})
    CHECK(std::abs(agreement(base, shift) - 0.5) < error);
}

TEST_CASE_TEMPLATE("dropout: what is dropped is 0, even a NaN", T, float, double) {
  const DropoutDraw draw = draw_of(0.5);
  const auto y = dropped(draw, std::vector<T>(1000, kNaN<T>));
  for (int64_t i = 0; i < 1000; ++i) {
    const T value = y[static_cast<size_t>(i)];
    REQUIRE((keeps(draw, i) ? std::isnan(value) : value == 0));
  }
}

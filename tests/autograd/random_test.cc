#include "autograd/tensors/random.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <set>

using namespace mixtape;

TEST_CASE("the numbers of a seed are fixed for all time") {
  Random random(42);
  for (uint32_t expected : {541301508U, 2550652962U, 1410988607U, 3371850285U, 528846114U, 1519611893U})
    CHECK(random.bits() == expected);
  Random uniform(42);
  for (double expected : {0.1260315820118052, 0.3285213841875647, 0.12313158328691276, 0.14890999029346141})
    CHECK(uniform.uniform() == expected);
  Random normal(7);
  for (double expected : {0.24366030208062844, 1.0704741615205873, -1.936220639353303})
    CHECK(normal.normal() == doctest::Approx(expected).epsilon(1e-14));
}

TEST_CASE("another seed gives other numbers, the upper half of its bits counts, too") {
  std::set<uint32_t> first;
  for (uint64_t seed : {uint64_t{0}, uint64_t{1}, uint64_t{2}, uint64_t{1} << 32, (uint64_t{1} << 32) + 1})
    first.insert(Random(seed).bits());
  CHECK(first.size() == 5);
}

TEST_CASE("at() is the key of a step") {
  const RandomKey key = Random(9).at(17);
  CHECK(key.seed == 9);
  CHECK(key.step == 17);
  CHECK(Random(9).seed() == 9);
}

TEST_CASE("uniform numbers have the mean and variance that they should") {
  Random random(3);
  const int n = 200'000;
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.uniform(-1, 3);
    CHECK_UNARY(x >= -1 && x < 3);
    sum += x;
    squares += x * x;
  }
  CHECK(sum / n == doctest::Approx(1).epsilon(0.01));
  CHECK(squares / n - 1 == doctest::Approx(16.0 / 12).epsilon(0.02));
}

TEST_CASE("normal numbers have the moments that they should") {
  const int64_t n = 200'000;
  const Tensor x = Random(4).normal({n}, 2, 0.5, f64);
  std::array<double, 5> moments{};
  for (double value : x.values()) {
    const double z = (value - 2) / 0.5;
    for (size_t k = 1; k < moments.size(); ++k)
      moments[k] += std::pow(z, static_cast<double>(k)) / static_cast<double>(n);
  }
  CHECK(std::abs(moments[1]) < 0.01);
  CHECK(std::abs(moments[2] - 1) < 0.02);
  CHECK(std::abs(moments[3]) < 0.05);
  CHECK(std::abs(moments[4] - 3) < 0.15);
}

TEST_CASE("below() is fair") {
  Random random(5);
  std::array<int, 7> counts{};
  for (int i = 0; i < 140'000; ++i) ++counts[static_cast<size_t>(random.below(7))];
  double chi_squared = 0;
  for (int count : counts) chi_squared += (count - 20'000.0) * (count - 20'000.0) / 20'000;
  CHECK(chi_squared < 22.5);  // 6 degrees of freedom: above this once in a thousand seeds
  for (int i = 0; i < 100; ++i) CHECK(random.below(1) == 0);
}

TEST_CASE("below() is fair where 2^64 is no multiple of the range") {
  const int64_t n =
      (int64_t{1} << 62) + (int64_t{1} << 61);  // 2^64 mod n = 2^62: its lower third would come up too often
  Random random(6);
  int low = 0;
  for (int i = 0; i < 30'000; ++i) {
    const int64_t value = random.below(n);
    CHECK_UNARY(value >= 0 && value < n);
    low += value < n / 3;
  }
  CHECK(low / 30'000.0 == doctest::Approx(1.0 / 3).epsilon(0.05));
}

TEST_CASE("tensors of random numbers") {
  Random a(8), b(8);
  const Tensor x = a.uniform({3, 4}, -2, -1), y = b.uniform({12}, -2, -1, f64);
  CHECK(x.shape() == Shape{3, 4});
  CHECK(x.dtype() == f32);
  CHECK(y.dtype() == f64);
  for (size_t i = 0; i < 12; ++i) CHECK(x.values()[i] == static_cast<double>(static_cast<float>(y.values()[i])));
  CHECK(a.bits() == b.bits());
}

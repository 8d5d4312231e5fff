#include "optim/schedule.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/tensors/error.h"

using namespace mixtape;
using doctest::Approx;

TEST_CASE("schedule: constant") {
  const optim::Constant schedule{.learning_rate = 0.5};
  CHECK(schedule(1) == 0.5);
  CHECK(schedule(1'000'000) == 0.5);
}

TEST_CASE("schedule: inverse square root peaks at the end of the warm-up") {
  const optim::InverseSquareRoot schedule{.peak = 0.8, .warmup = 4};
  CHECK(schedule(1) == Approx(0.2));
  CHECK(schedule(3) == Approx(0.6));
  CHECK(schedule(4) == Approx(0.8));
  CHECK(schedule(5) == Approx(0.8 * std::sqrt(4.0 / 5)));
  CHECK(schedule(16) == Approx(0.4));
  CHECK(schedule(400) == Approx(0.08));
  const optim::InverseSquareRoot cold{.peak = 1, .warmup = 0};
  CHECK(cold(1) == 1);
  CHECK(cold(4) == 0.5);
}

TEST_CASE("schedule: inverse square root is the paper's formula") {
  const double width = 512, warmup = 4000;
  const optim::InverseSquareRoot schedule{.peak = 1 / std::sqrt(width * warmup), .warmup = 4000};
  for (const int64_t step : {1, 100, 3999, 4000, 4001, 100'000}) {
    const auto s = static_cast<double>(step);
    CHECK(schedule(step) == Approx(std::min(1 / std::sqrt(s), s * std::pow(warmup, -1.5)) / std::sqrt(width)));
  }
}

TEST_CASE("schedule: cosine") {
  const optim::Cosine schedule{.peak = 1, .warmup = 10, .total = 30, .floor = 0.2};
  CHECK(schedule(1) == Approx(0.1));
  CHECK(schedule(10) == Approx(1));
  CHECK(schedule(15) == Approx(0.2 + 0.4 * (1 + std::sqrt(0.5))));
  CHECK(schedule(20) == Approx(0.6));
  CHECK(schedule(30) == Approx(0.2));
  CHECK(schedule(31) == Approx(0.2));
  const optim::Cosine cold{.peak = 1, .total = 4};
  CHECK(cold(1) == Approx(0.5 * (1 + std::sqrt(0.5))));
  CHECK(cold(2) == Approx(0.5));
  CHECK(cold(4) == Approx(0).epsilon(1e-12));
}

TEST_CASE("schedule: linear") {
  const optim::Linear schedule{.peak = 1, .warmup = 5, .total = 15, .floor = 0.1};
  CHECK(schedule(1) == Approx(0.2));
  CHECK(schedule(5) == Approx(1));
  CHECK(schedule(10) == Approx(0.55));
  CHECK(schedule(15) == Approx(0.1));
  CHECK(schedule(100) == Approx(0.1));
  CHECK(optim::Linear{.peak = 1, .total = 4}(1) == Approx(0.75));
}

TEST_CASE("schedule: a run shorter than the warm-up only rises") {
  CHECK(optim::Cosine{.peak = 1, .warmup = 100, .total = 10}(10) == Approx(0.1));
  CHECK(optim::Linear{.peak = 1, .warmup = 100, .total = 10}(10) == Approx(0.1));
}

TEST_CASE("schedule: steps count from 1") {
  const char* message = "schedule: step is 0, steps count from 1";
  CHECK_THROWS_WITH_AS(optim::Constant{.learning_rate = 1}(0), message, Error);
  CHECK_THROWS_WITH_AS((optim::InverseSquareRoot{.peak = 1, .warmup = 4}(0)), message, Error);
  CHECK_THROWS_WITH_AS((optim::Cosine{.peak = 1, .warmup = 0, .total = 4}(0)), message, Error);
  CHECK_THROWS_WITH_AS((optim::Linear{.peak = 1, .warmup = 2, .total = 4}(0)), message, Error);
  CHECK_THROWS_WITH_AS((optim::Cosine{.peak = 1, .total = 0}(1)), "schedule: total is 0, expected at least 1", Error);
}

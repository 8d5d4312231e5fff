#include "nn/init.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "nn/embedding.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "tests/nn/numbers.h"

using namespace mixtape;

namespace {

struct Moments {
  double mean, deviation, lowest, highest;
};

Moments moments_of(const Tensor& x) {
  const std::vector<double> values = x.values();
  double sum = 0, squares = 0;
  for (const double v : values) sum += v;
  const double mean = sum / static_cast<double>(values.size());
  for (const double v : values) squares += (v - mean) * (v - mean);
  return {mean, std::sqrt(squares / static_cast<double>(values.size())),
          *std::min_element(values.begin(), values.end()), *std::max_element(values.begin(), values.end())};
}

}  // namespace

TEST_CASE("init: Xavier-uniform weights fill the range given by the sizes") {
  Random random(1);
  const Tensor weight = nn::xavier_uniform(80, 120, random);
  CHECK(weight.shape() == Shape{80, 120});
  CHECK(weight.is_parameter());
  const double bound = std::sqrt(6.0 / 200);
  const Moments m = moments_of(weight);
  CHECK(m.lowest >= -bound);
  CHECK(m.highest < bound);
  CHECK(m.highest - m.lowest > 1.99 * bound);
  CHECK(std::abs(m.mean) < 4 * bound / std::sqrt(3.0 * 9600));
  CHECK(m.deviation == doctest::Approx(bound / std::sqrt(3.0)).epsilon(0.03));
}

TEST_CASE("init: normal parameters have the requested standard deviation") {
  Random random(2);
  const Moments m = moments_of(nn::normal_parameter({100, 100}, 0.3, random));
  CHECK(std::abs(m.mean) < 4 * 0.3 / 100);
  CHECK(m.deviation == doctest::Approx(0.3).epsilon(0.03));
  CHECK(m.highest > 0.9);
}

TEST_CASE("init: initial values of layers") {
  Random random(3);
  const nn::Linear linear(120, 80, random);
  CHECK(linear.weight.shape() == Shape{80, 120});
  CHECK(moments_of(linear.weight).deviation == doctest::Approx(std::sqrt(2.0 / 200)).epsilon(0.03));
  CHECK(linear.bias.values() == std::vector<double>(80, 0));
  const nn::LayerNorm norm(5);
  CHECK(norm.weight.values() == std::vector<double>(5, 1));
  CHECK(norm.bias.values() == std::vector<double>(5, 0));
  const nn::Embedding table(200, 64, random);
  CHECK(moments_of(table.weight).deviation == doctest::Approx(1.0 / 8).epsilon(0.03));
}

TEST_CASE("init: the seed determines the draws, and draws differ") {
  Random a(4), b(4), c(5);
  const Tensor first = nn::xavier_uniform(3, 4, a);
  CHECK(same_bits(first, nn::xavier_uniform(3, 4, b)));
  CHECK_FALSE(same_bits(first, nn::xavier_uniform(3, 4, a)));
  CHECK_FALSE(same_bits(first, nn::xavier_uniform(3, 4, c)));
}

#include "nn/linear_attention.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/tensors/error.h"

using namespace mixtape;

namespace {

constexpr int64_t kChannels = 6, kFeatureHeads = 2;

nn::LinearAttention made(bool causal) {
  Random random(3);
  nn::LinearAttention layer({.width = kChannels, .heads = kFeatureHeads, .causal = causal}, random);
  nn::to(layer, f64);
  return layer;
}

double elu_plus_1(double x) { return x > 0 ? x + 1 : std::exp(x); }

// The definition, pair by pair, for x of one sequence [1, T, C].
std::vector<double> by_pairs(const nn::LinearAttention& layer, const Tensor& x) {
  const int64_t length = x.size(1), width = kChannels / kFeatureHeads;
  const std::vector<double> q = layer.query(x).values(), k = layer.key(x).values(), v = layer.value(x).values();
  const auto at = [&](int64_t i, int64_t h, int64_t c) { return static_cast<size_t>(i * kChannels + h * width + c); };
  std::vector<double> mixed(q.size());
  for (int64_t h = 0; h < kFeatureHeads; ++h) {
    for (int64_t i = 0; i < length; ++i) {
      double total = 0;
      for (int64_t j = 0; j <= (layer.options.causal ? i : length - 1); ++j) {
        double weight = 0;
        for (int64_t c = 0; c < width; ++c) weight += elu_plus_1(q[at(i, h, c)]) * elu_plus_1(k[at(j, h, c)]);
        for (int64_t c = 0; c < width; ++c) mixed[at(i, h, c)] += weight * v[at(j, h, c)];
        total += weight;
      }
      for (int64_t c = 0; c < width; ++c) mixed[at(i, h, c)] /= total;
    }
  }
  return layer.output(Tensor::from(mixed, x.shape(), f64)).values();
}

}  // namespace

TEST_CASE("linear attention: running sums equal the sum over pairs, over many chunks too") {
  Random random(5);
  for (const bool causal : {false, true}) {
    const nn::LinearAttention layer = made(causal);
    for (const int64_t length : {1, 5, 64, 65, 150}) {
      CAPTURE(length);
      const Tensor x = random.normal({1, length, kChannels}, 0, 1, f64);
      const std::vector<double> got = layer(x).values(), want = by_pairs(layer, x);
      double largest = 0;
      for (size_t i = 0; i < got.size(); ++i) largest = std::max(largest, std::abs(got[i] - want[i]));
      CHECK(largest < 1e-12);
    }
  }
}

TEST_CASE("linear attention: packed sequences are independent") {
  Random random(6);
  const Bounds bounds({70, 0, 3});
  const Tensor x = random.normal({bounds.rows(), kChannels}, 0, 1, f64);
  for (const bool causal : {false, true}) {
    const nn::LinearAttention layer = made(causal);
    const std::vector<double> together = layer(x, bounds).values();
    for (const int64_t b : {0, 2}) {
      const Tensor rows = slice(x, 0, bounds.offset(b), bounds.offset(b + 1));
      const std::vector<double> alone = layer(reshape(rows, {1, bounds.length(b), kChannels})).values();
      for (size_t i = 0; i < alone.size(); ++i)
        CHECK(alone[i] ==
              doctest::Approx(together[static_cast<size_t>(bounds.offset(b) * kChannels) + i]).epsilon(1e-12));
    }
  }
}

TEST_CASE("linear attention: heads must divide the width") {
  Random random(1);
  CHECK_THROWS_WITH_AS(nn::LinearAttention({.width = 6, .heads = 4}, random),
                       "linear attention: width 6 is no multiple of 4 heads", Error);
}

#include "nn/multi_head_attention.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "tests/nn/numbers.h"

using namespace mixtape;
using nn::Attend;
using nn::MultiHeadAttention;

namespace {

constexpr int64_t kModelWidth = 6, kHeads = 2, kHeadWidth = kModelWidth / kHeads;

MultiHeadAttention f64_attention(double dropout = 0) {
  Random random(3);
  MultiHeadAttention layer({.width = kModelWidth, .heads = kHeads, .dropout = dropout}, random);
  nn::to(layer, f64);
  for (const NamedTensor& x : nn::parameters(layer)) x.tensor.copy_from(random.normal(x.tensor.shape(), 0, 0.5));
  return layer;
}

Tensor f64_normal(const Shape& shape, uint64_t seed) { return Random(seed).normal(shape, 0, 1, f64); }

std::vector<int32_t> lengths_of(const Bounds& bounds) {
  std::vector<int32_t> lengths;
  for (int64_t b = 0; b < bounds.sequences(); ++b) lengths.push_back(static_cast<int32_t>(bounds.length(b)));
  return lengths;
}

// The number at `index` of a tensor of four axes.
double at(const Tensor& x, int64_t b, int64_t h, int64_t i, int64_t j) {
  return x.data<double>()[((b * x.size(1) + h) * x.size(2) + i) * x.size(3) + j];
}

struct Pair : nn::Layer<Pair> {
  MultiHeadAttention layer = f64_attention();

  Tensor forward(const Tensor& x) const { return layer(layer(x)); }
  void visit(auto&& each) const { each("layer", layer); }
};

}  // namespace

TEST_CASE("multi_head_attention: packed equals padded, forward and backward") {
  const MultiHeadAttention layer = f64_attention();
  const Bounds queries({3, 1, 5}), keys({4, 2, 1});
  struct Case {
    const char* name;
    bool cross, causal;
  };
  for (const Case& each : {Case{"self", false, false}, Case{"causal", false, true}, Case{"cross", true, false}}) {
    CAPTURE(each.name);
    const Tensor x = f64_normal({queries.rows(), kModelWidth}, 1), memory = f64_normal({keys.rows(), kModelWidth}, 2);
    const Mask order = each.causal ? causal() : Mask();
    const auto packed = [&] {
      if (each.cross) return layer(x, memory, Attend{.queries = queries, .keys = keys});
      return layer(x, Attend{.queries = queries, .mask = order});
    };
    const auto padded = [&] {
      if (!each.cross) {
        return to_packed(layer(to_padded(x, queries), Attend{.mask = order & key_lengths(lengths_of(queries))}),
                         queries);
      }
      const Attend attend{.mask = key_lengths(lengths_of(keys))};
      return to_packed(layer(to_padded(x, queries), to_padded(memory, keys), attend), queries);
    };
    const auto gradients = [&](const auto& f) {
      Tape tape;
      tape.watch(x);
      tape.watch(memory);
      const Tensor y = f();
      std::vector<Tensor> inputs{x, memory};
      for (const NamedTensor& p : nn::parameters(layer)) inputs.push_back(p.tensor);
      std::vector<Tensor> all = tape.gradients(sum(y * f64_normal(y.shape(), 4)), inputs);
      all.push_back(y);
      return all;
    };
    const std::vector<Tensor> a = gradients(packed), b = gradients(padded);
    for (size_t i = 0; i < a.size(); ++i) CHECK(largest_difference(a[i], b[i]) < 1e-12);
    CHECK(largest_magnitude(a.back()) > 0.1);
  }
}

TEST_CASE("multi_head_attention: the weights are the softmax of the scaled scores") {
  const MultiHeadAttention layer = f64_attention();
  const Tensor x = f64_normal({2, 3, kModelWidth}, 1), memory = f64_normal({2, 4, kModelWidth}, 2);
  const auto [output, weights] = layer.with_weights(x, memory);
  REQUIRE(weights.shape() == Shape{2, kHeads, 3, 4});
  const Tensor q = layer.query(x), k = layer.key(memory), v = layer.value(memory);
  const auto element = [](const Tensor& t, int64_t b, int64_t row, int64_t column) {
    return t.data<double>()[(b * t.size(1) + row) * t.size(2) + column];
  };
  Tensor mixed = Tensor::zeros({2, 3, kModelWidth}, f64);
  for (int64_t b = 0; b < 2; ++b) {
    for (int64_t h = 0; h < kHeads; ++h) {
      for (int64_t i = 0; i < 3; ++i) {
        double e[4], total = 0;
        for (int64_t j = 0; j < 4; ++j) {
          double score = 0;
          for (int64_t d = h * kHeadWidth; d < (h + 1) * kHeadWidth; ++d)
            score += element(q, b, i, d) * element(k, b, j, d);
          total += e[j] = std::exp(score / std::sqrt(static_cast<double>(kHeadWidth)));
        }
        for (int64_t j = 0; j < 4; ++j) {
          CHECK(at(weights, b, h, i, j) == doctest::Approx(e[j] / total).epsilon(1e-12));
          for (int64_t d = h * kHeadWidth; d < (h + 1) * kHeadWidth; ++d)
            mixed.mutable_data<double>()[(b * 3 + i) * kModelWidth + d] += e[j] / total * element(v, b, j, d);
        }
      }
    }
  }
  CHECK(largest_difference(output, layer.output(mixed)) < 1e-12);
  CHECK(largest_difference(output, layer(x, memory, Attend{})) < 1e-12);
}

TEST_CASE("multi_head_attention: the gradient of the weights equals a finite difference") {
  const MultiHeadAttention layer = f64_attention();
  const Bounds queries({2, 3}), keys({4, 2});
  const Tensor x = f64_normal({queries.rows(), kModelWidth}, 1), memory = f64_normal({keys.rows(), kModelWidth}, 2);
  const Tensor direction = f64_normal({queries.rows(), kModelWidth}, 3);
  const Attend attend{.queries = queries, .keys = keys};
  Tape tape;
  const auto [output, weights] = layer.with_weights(x, memory, attend);
  tape.backward(sum(output * direction), {.keep = {weights}});
  const Tensor gradient = tape.gradient(weights);
  REQUIRE(gradient.shape() == Shape{2, kHeads, 3, 4});

  const Tensor values = layer.project(memory).values;
  const auto loss = [&](const Tensor& moved) {
    const Tensor mixed = attention_mix(moved, values, {.query_bounds = queries, .key_bounds = keys});
    return sum(layer.output(reshape(mixed, x.shape())) * direction).item();
  };
  for (int64_t i = 0; i < weights.elements(); ++i) {
    const Tensor up = weights.clone(), down = weights.clone();
    up.mutable_data<double>()[i] += 0.5;  // the loss is linear in the weights
    down.mutable_data<double>()[i] -= 0.5;
    CHECK(gradient.data<double>()[i] == doctest::Approx(loss(up) - loss(down)).epsilon(1e-9));
  }
}

TEST_CASE("multi_head_attention: masks are types that combine") {
  const MultiHeadAttention layer = f64_attention();
  const Tensor x = f64_normal({2, 4, kModelWidth}, 1);
  std::vector<int32_t> pairs(16, 1);
  pairs[2 * 4 + 0] = 0;  // query 2 may not see key 0
  const Tensor bias = f64_normal({4, 4}, 2);
  const Mask mask = causal() & key_lengths({4, 2}) & allowed_pairs(Tensor::from(pairs, {4, 4})) & additive_bias(bias);
  const auto [output, weights] = layer.with_weights(x, x, {.mask = mask});
  const Tensor unbiased = layer.with_weights(x, x, {.mask = causal() & key_lengths({4, 2})}).weights;
  for (int64_t b = 0; b < 2; ++b) {
    for (int64_t h = 0; h < kHeads; ++h) {
      for (int64_t i = 0; i < 4; ++i) {
        double total = 0;
        for (int64_t j = 0; j < 4; ++j) {
          const bool hidden = j > i || (b == 1 && j >= 2) || (i == 2 && j == 0);
          CAPTURE(i);
          CAPTURE(j);
          CHECK((at(weights, b, h, i, j) == 0) == hidden);
          total += at(weights, b, h, i, j);
        }
        CHECK(total == doctest::Approx(1).epsilon(1e-12));
      }
      const double moved = bias.data<double>()[4] - bias.data<double>()[5];
      const double ratio = at(unbiased, b, h, 1, 0) / at(unbiased, b, h, 1, 1) * std::exp(moved);
      CHECK(at(weights, b, h, 1, 0) / at(weights, b, h, 1, 1) == doctest::Approx(ratio).epsilon(1e-10));
    }
  }
  CHECK(largest_difference(output, layer(x, Attend{.mask = mask})) < 1e-12);
  CHECK_THROWS_AS(layer(x, Attend{.mask = key_lengths({4, 5})}), Error);
  CHECK_THROWS_AS(layer(x, Attend{.mask = key_lengths({4})}), Error);
}

TEST_CASE("multi_head_attention: a causal mask hides the future, even NaN") {
  const MultiHeadAttention layer = f64_attention();
  const Bounds bounds({4, 3});
  const Tensor x = f64_normal({7, kModelWidth}, 1);
  const Attend attend{.queries = bounds, .mask = causal()};
  const Tensor y = layer(x, attend);
  for (int64_t row = 0; row < 7; ++row) {
    Tape tape;
    tape.watch(x);
    const Tensor gradient = tape.gradients(sum(slice(layer(x, attend), 0, row, row + 1)), {x})[0];
    const int64_t first = row < 4 ? 0 : 4;
    for (int64_t other = 0; other < 7; ++other) {
      const double magnitude = largest_magnitude(gradient.view_rows(other, other + 1));
      if (other < first || other > row) {
        CHECK(magnitude == 0);
      } else {
        CHECK(magnitude > 1e-6);
      }
    }
  }
  const Tensor broken = x.clone();
  broken.view_rows(3, 4).fill(NAN);
  const Tensor z = layer(broken, attend);
  CHECK(largest_difference(z.view_rows(0, 3), y.view_rows(0, 3)) < 1e-12);
  CHECK(largest_difference(z.view_rows(4, 7), y.view_rows(4, 7)) < 1e-12);
}

TEST_CASE("multi_head_attention: dropout is a function of seed and step") {
  const MultiHeadAttention layer = f64_attention(0.4);
  const Tensor x = f64_normal({2, 5, kModelWidth}, 1);
  const auto run = [&](RandomKey key) {
    Tape tape(key);
    const Tensor y = layer(x);
    tape.backward(sum(y * y));
    std::vector<Tensor> all{y};
    for (const NamedTensor& p : nn::parameters(layer)) {
      all.push_back(p.tensor.gradient());
      p.tensor.clear_gradient();
    }
    return all;
  };
  const std::vector<Tensor> a = run({1, 7}), b = run({1, 7});
  for (size_t i = 0; i < a.size(); ++i) CHECK(same_bits(a[i], b[i]));
  CHECK(largest_difference(a[0], run({1, 8})[0]) > 1e-3);
  CHECK(largest_difference(a[0], run({2, 7})[0]) > 1e-3);
  CHECK(same_bits(layer(x), layer(x)));
  CHECK(largest_difference(layer(x), f64_attention(0)(x)) == 0);
}

TEST_CASE("multi_head_attention: weights are returned before dropout, and used after it") {
  const MultiHeadAttention layer = f64_attention(0.4), plain = f64_attention(0);
  const Tensor x = f64_normal({1, 5, kModelWidth}, 1);
  Tape tape(RandomKey{1, 1});
  const auto [output, weights] = layer.with_weights(x, x);
  CHECK(same_bits(weights, plain.with_weights(x, x).weights));
  CHECK(largest_difference(output, plain(x)) > 1e-3);
}

TEST_CASE("multi_head_attention: recorders nest, name the layer, and do not change the result") {
  const Pair pair;
  const Tensor x = f64_normal({2, 3, kModelWidth}, 1);
  const Tensor y = pair(x);
  const nn::AttentionRecorder outer;
  {
    const nn::AttentionRecorder inner;
    CHECK(largest_difference(pair(x), y) < 1e-12);
    REQUIRE(inner.entries().size() == 2);
    CHECK(inner.entries()[1].path == "layer");
  }
  pair.layer.with_weights(x, x);
  REQUIRE(outer.entries().size() == 3);
  CHECK(outer.entries()[2].weights.shape() == Shape{2, kHeads, 3, 3});
}

TEST_CASE("multi_head_attention: step by step equals forward with a causal mask") {
  const MultiHeadAttention layer = f64_attention();
  const Tensor x = f64_normal({2, 4, kModelWidth}, 1);
  const Tensor y = layer(x, Attend{.mask = causal()});
  nn::KeyValueCache cache;
  for (int64_t t = 0; t < 4; ++t) {
    const Tensor step = layer.step(slice(x, 1, t, t + 1), cache);
    CHECK(largest_difference(step, slice(y, 1, t, t + 1)) < 1e-12);
  }
  CHECK(cache.all().keys.shape() == Shape{2, 4, kHeads, kHeadWidth});
}

TEST_CASE("multi_head_attention: heads must divide the width") {
  Random random(1);
  CHECK_THROWS_WITH_AS(MultiHeadAttention({.width = 6, .heads = 4}, random),
                       "multi-head attention: width 6 is no multiple of 4 heads", Error);
  CHECK_THROWS_AS(MultiHeadAttention({.width = 6, .heads = 0}, random), Error);
}

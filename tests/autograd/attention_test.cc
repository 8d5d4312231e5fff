#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/ops.h"
#include "autograd/tensors/random.h"
#include "tests/autograd/closeness.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// A random attention: packed queries, keys and values, masks, and which keys nobody sees.
struct Problem {
  std::vector<Tensor> inputs;
  AttentionOptions options;
};

std::vector<int64_t> random_lengths(Random& random, size_t count, int64_t longest) {
  std::vector<int64_t> lengths(count);
  for (int64_t& length : lengths) length = random.below(longest + 1);
  return lengths;
}

Tensor random_pairs(Random& random, const Shape& shape) {
  std::vector<int32_t> values(static_cast<size_t>(shape.elements()));
  for (int32_t& value : values) value = static_cast<int32_t>(random.below(4) == 0 ? 0 : 1);
  for (size_t i = 0; i < values.size(); ++i)  // some rows see nothing
    if (i / static_cast<size_t>(shape[-1]) % 5 == 2) values[i] = 0;
  return Tensor::from(values, shape);
}

Shape mask_shape(Random& random, int64_t sequences, int64_t heads, int64_t queries, int64_t keys) {
  const int64_t kind = random.below(3);
  if (kind == 0) return {queries, keys};
  return kind == 1 ? Shape{sequences, queries, keys} : Shape{sequences, heads, queries, keys};
}

Problem random_problem(uint64_t seed, DType dtype) {
  Random random(seed);
  const auto sequences = static_cast<size_t>(1 + random.below(4));
  const int64_t heads = 1 + random.below(3), width = 1 + random.below(9), value_width = 1 + random.below(9);
  const Bounds queries(random_lengths(random, sequences, 9)), keys(random_lengths(random, sequences, 9));
  const auto batch = static_cast<int64_t>(sequences);
  Problem problem;
  problem.inputs = {random.normal({queries.rows(), heads, width}, 0, 1, dtype),
                    random.normal({keys.rows(), heads, width}, 0, 1, dtype),
                    random.normal({keys.rows(), heads, value_width}, 0, 1, dtype)};
  problem.options = {.query_bounds = queries, .key_bounds = keys, .scale = random.uniform(0.2, 1.5)};
  Mask& mask = problem.options.mask;
  const auto with = [&](uint64_t part) { return (seed & part) != 0; };
  if (with(1)) mask = mask & causal();
  if (with(2)) {
    std::vector<int32_t> counts;
    for (int64_t b = 0; b < batch; ++b) counts.push_back(static_cast<int32_t>(random.below(keys.length(b) + 1)));
    mask = mask & key_lengths(counts);
  }
  const int64_t most_queries = queries.longest(), most_keys = keys.longest();
  if (with(4))
    mask = mask & allowed_pairs(random_pairs(random, mask_shape(random, batch, heads, most_queries, most_keys)));
  if (with(8)) {
    const Shape shape = mask_shape(random, batch, heads, most_queries, most_keys);
    mask = mask & additive_bias(random.normal(shape, 0, 1, dtype));
  }
  if (with(16)) mask = mask & window(random.below(5));
  return problem;
}

auto fused(const AttentionOptions& options) {
  return
      [options](const std::vector<Tensor>& in) { return scaled_dot_product_attention(in[0], in[1], in[2], options); };
}

auto composed_definition(const AttentionOptions& options) {
  return [options](const std::vector<Tensor>& in) {
    return composed::scaled_dot_product_attention(in[0], in[1], in[2], options);
  };
}

// Overwrites rows of key and value with NaN.
void spoil(const Tensor& x, int64_t row) {
  const int64_t n = x.elements() / x.size(0);
  if (x.dtype() == f64) {
    std::fill_n(x.mutable_data<double>() + row * n, n, kNaN);
  } else {
    std::fill_n(x.mutable_data<float>() + row * n, n, std::numeric_limits<float>::quiet_NaN());
  }
}

// The keys that no query of their sequence sees in any head, by way of the gradient of the values, 0 for just these.
std::vector<int64_t> hidden_keys(const Problem& problem) {
  const Tensor& value = problem.inputs[2];
  Tape tape;
  tape.watch(value);
  const Tensor y = scaled_dot_product_attention(problem.inputs[0], problem.inputs[1], value, problem.options);
  const std::vector<double> slopes = tape.gradients(sum(y), {value})[0].values();
  std::vector<int64_t> hidden;
  const auto n = static_cast<size_t>(value.size(0) == 0 ? 0 : value.elements() / value.size(0));
  for (size_t row = 0; row < static_cast<size_t>(value.size(0)); ++row) {
    const auto first = slopes.begin() + static_cast<std::ptrdiff_t>(row * n);
    if (std::all_of(first, first + static_cast<std::ptrdiff_t>(n), [](double slope) { return slope == 0; }))
      hidden.push_back(static_cast<int64_t>(row));
  }
  return hidden;
}

}  // namespace

TEST_CASE("fused attention equals the composed one over random masks") {
  for (DType dtype : {f64, f32}) {
    for (uint64_t seed = 0; seed < 160; ++seed) {
      CAPTURE(seed);
      const Problem problem = random_problem(seed, dtype);
      check_close(value_and_gradients(fused(problem.options), problem.inputs),
                  value_and_gradients(composed_definition(problem.options), problem.inputs), tolerance(dtype));
    }
  }
}

TEST_CASE("fused attention with dropout equals the composed one with the same draw") {
  for (uint64_t seed = 0; seed < 32; ++seed) {
    CAPTURE(seed);
    Problem problem = random_problem(seed, f64);
    problem.options.dropout = 0.3;
    const auto run = [&](const auto& f) {
      Tape tape(RandomKey{seed, 9});
      for (const Tensor& x : problem.inputs) tape.watch(x);
      const Tensor y = f(problem.inputs);
      std::vector<Tensor> result = tape.gradients(y, problem.inputs, {.seed = Tensor::ones(y.shape(), f64)});
      result.push_back(y.detach());
      return result;
    };
    check_close(run(fused(problem.options)), run(composed_definition(problem.options)), 1e-12);
  }
}

TEST_CASE("NaN behind the mask changes nothing, and gets gradient 0") {
  int64_t spoiled = 0;
  for (DType dtype : {f64, f32}) {
    for (uint64_t seed = 0; seed < 64; ++seed) {
      CAPTURE(seed);
      const Problem problem = random_problem(seed, dtype);
      const std::vector<Tensor> clean = value_and_gradients(fused(problem.options), problem.inputs);
      for (int64_t row : hidden_keys(problem)) {
        spoil(problem.inputs[1], row);
        spoil(problem.inputs[2], row);
        ++spoiled;
      }
      check_close(value_and_gradients(fused(problem.options), problem.inputs), clean, tolerance(dtype));
      check_close(value_and_gradients(composed_definition(problem.options), problem.inputs), clean, tolerance(dtype));
    }
  }
  CHECK(spoiled > 100);
}

TEST_CASE("NaN that some queries see reaches just these") {
  Random random(1);
  const Tensor q = random.normal({4, 1, 3}, 0, 1, f64), k = random.normal({4, 1, 3}, 0, 1, f64),
               v = random.normal({4, 1, 2}, 0, 1, f64);
  const Tensor clean = scaled_dot_product_attention(q, k, v, {.mask = causal()});
  spoil(v, 2);
  for (const Tensor& y : {scaled_dot_product_attention(q, k, v, {.mask = causal()}),
                          composed::scaled_dot_product_attention(q, k, v, {.mask = causal()})}) {
    CHECK(distance(slice(y, 0, 0, 2), slice(clean, 0, 0, 2)) <= 1e-15);
    for (double value : slice(y, 0, 2, 4).values()) CHECK(std::isnan(value));
  }
}

TEST_CASE("a query that sees nothing gives 0, and gets gradient 0") {
  for (DType dtype : {f64, f32}) {
    Random random(2);
    const std::vector<Tensor> in{random.normal({1, 2, 1, 3}, 0, 1, dtype), random.normal({1, 3, 1, 3}, 0, 1, dtype),
                                 random.normal({1, 3, 1, 3}, 0, 1, dtype)};
    const Mask mask = allowed_pairs(Tensor::from(std::vector<int32_t>{0, 0, 0, 1, 0, 1}, {2, 3}));
    for (const auto& result : {value_and_gradients(fused({.mask = mask}), in),
                               value_and_gradients(composed_definition({.mask = mask}), in)}) {
      for (int which : {0, 1}) {  // the value, and the query's gradient
        const std::vector<double> values = result[static_cast<size_t>(which)].values();
        for (size_t i = 0; i < 3; ++i) CHECK(values[i] == 0);
        CHECK(values[3] != 0);
      }
      for (double slope : slice(result[3], 1, 1, 2).values()) CHECK(slope == 0);
    }
  }
}

TEST_CASE("a bias of minus infinity hides like a mask") {
  for (DType dtype : {f64, f32}) {
    Random random(4);
    const std::vector<Tensor> in{random.normal({1, 2, 1, 3}, 0, 1, dtype), random.normal({1, 3, 1, 3}, 0, 1, dtype),
                                 random.normal({1, 3, 1, 3}, 0, 1, dtype)};
    const double no = -std::numeric_limits<double>::infinity();
    const Mask bias = additive_bias(Tensor::from(std::vector<double>{no, no, no, 0, no, 0}, {2, 3}, dtype));
    const Mask mask = allowed_pairs(Tensor::from(std::vector<int32_t>{0, 0, 0, 1, 0, 1}, {2, 3}));
    const std::vector<Tensor> expected = value_and_gradients(fused({.mask = mask}), in);
    check_close(value_and_gradients(fused({.mask = bias}), in), expected, tolerance(dtype));
    check_close(value_and_gradients(composed_definition({.mask = bias}), in), expected, tolerance(dtype));
  }
}

TEST_CASE("the weights of attention add up to 1, and give the attention") {
  for (uint64_t seed = 0; seed < 16; ++seed) {
    CAPTURE(seed);
    const Problem problem = random_problem(seed, f64);
    const Bounds &queries = problem.options.query_bounds, &keys = problem.options.key_bounds;
    const Tensor weights = attention_weights(problem.inputs[0], problem.inputs[1], problem.options);
    CHECK(weights.shape() == Shape{queries.sequences(), problem.inputs[0].size(1), queries.longest(), keys.longest()});
    for (double total : sum(weights, -1).values()) CHECK((total == 0 || std::abs(total - 1) < 1e-12));
    const Tensor values = transpose(to_padded(problem.inputs[2], keys), 1, 2);
    const Tensor mixed = to_packed(transpose(matmul(weights, values), 1, 2), queries);
    check_close({mixed}, {fused(problem.options)(problem.inputs)}, 1e-12);
  }
}

TEST_CASE("packed attention equals padded attention") {
  const Bounds bounds({3, 0, 5, 1});
  const std::vector<int32_t> counts{3, 0, 5, 1};
  for (const Mask& mask : {Mask(), causal()}) {
    Random random(3);
    const std::vector<Tensor> in{random.normal({9, 2, 4}, 0, 1, f64), random.normal({9, 2, 4}, 0, 1, f64),
                                 random.normal({9, 2, 3}, 0, 1, f64)};
    const auto padded = [&](const std::vector<Tensor>& x) {
      const Tensor y = scaled_dot_product_attention(to_padded(x[0], bounds), to_padded(x[1], bounds),
                                                    to_padded(x[2], bounds), {.mask = mask & key_lengths(counts)});
      return to_packed(y, bounds);
    };
    check_close(value_and_gradients(fused({.mask = mask, .query_bounds = bounds, .key_bounds = bounds}), in),
                value_and_gradients(padded, in), 1e-12);
  }
}

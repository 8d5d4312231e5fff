#include "autograd/ops.h"
#include "tests/autograd/gradient_table.h"

namespace mixtape::tests {
namespace {

using In = const std::vector<Tensor>&;

Differentiable attend(const AttentionOptions& options) {
  return [options](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], options); };
}

// The fourth input is added to the scores, and trained.
Differentiable attend_biased(const Mask& mask) {
  return [mask](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = mask & additive_bias(x[3])}); };
}

Differentiable weights(const AttentionOptions& options) {
  return [options](In x) { return attention_weights(x[0], x[1], options); };
}

}  // namespace

std::vector<GradientRow> attention_rows() {
  const std::vector<Tensor> self{normal({2, 3, 2, 2}, 1), normal({2, 3, 2, 2}, 2), normal({2, 3, 2, 2}, 3)};
  const std::vector<Tensor> cross{normal({2, 2, 1, 3}, 1), normal({2, 4, 1, 3}, 2), normal({2, 4, 1, 2}, 3)};
  const std::vector<Tensor> packed{normal({5, 2, 2}, 1), normal({6, 2, 2}, 2), normal({6, 2, 2}, 3)};
  const std::vector<Tensor> biased{cross[0], cross[1], cross[2], normal({2, 4}, 4)};
  const Bounds queries({2, 0, 3}), keys({1, 2, 3});
  const Mask pairs = allowed_pairs(integers({1, 0, 1, 1, 0, 0, 0, 0}, {2, 4}));  // query 1 sees nothing
  const Mask bias = additive_bias(normal({2, 1, 2, 4}, 5));
  const GradcheckOptions trains{.random = RandomKey{5, 1}};
  const AttentionOptions by_bounds{.query_bounds = queries, .key_bounds = keys};
  return {
      {"scaled_dot_product_attention", attend({}), self},
      {"scaled_dot_product_attention, one tensor for all",
       [](In x) { return scaled_dot_product_attention(x[0], x[0], x[0], {.mask = causal()}); },
       {self[0]}},
      {"scaled_dot_product_attention, rank 3", attend({}), {normal({3, 2, 2}), normal({4, 2, 2}), normal({4, 2, 1})}},
      {"scaled_dot_product_attention, cross, value width", attend({}), cross},
      {"scaled_dot_product_attention, scale", attend({.scale = 1.5}), self},
      {"scaled_dot_product_attention, causal", attend({.mask = causal()}), self},
      {"scaled_dot_product_attention, causal cross", attend({.mask = causal()}), cross},
      {"scaled_dot_product_attention, causal with rows that see nothing",
       attend({.mask = causal()}),
       {normal({1, 4, 1, 2}), normal({1, 2, 1, 2}), normal({1, 2, 1, 2})}},
      {"scaled_dot_product_attention, window", attend({.mask = window(1)}), self},
      {"scaled_dot_product_attention, causal window, packed",
       attend({.mask = window(1) & causal(), .query_bounds = queries, .key_bounds = keys}), packed},
      {"scaled_dot_product_attention, lengths", attend({.mask = key_lengths({3, 1})}), cross},
      {"scaled_dot_product_attention, length 0", attend({.mask = key_lengths({0, 2})}), cross},
      {"scaled_dot_product_attention, pairs", attend({.mask = pairs}), cross},
      {"scaled_dot_product_attention, constant bias", attend({.mask = bias}), cross},
      {"scaled_dot_product_attention, all masks", attend({.mask = causal() & key_lengths({4, 3}) & pairs & bias}),
       cross},
      {"scaled_dot_product_attention, trained bias", attend_biased({}), biased},
      {"scaled_dot_product_attention, trained bias and masks", attend_biased(pairs & key_lengths({4, 2})), biased},
      {"scaled_dot_product_attention, packed", attend(by_bounds), packed},
      {"scaled_dot_product_attention, packed causal",
       attend({.mask = causal(), .query_bounds = queries, .key_bounds = keys}), packed},
      {"scaled_dot_product_attention, dropout", attend({.dropout = 0.4}), self, trains},
      {"scaled_dot_product_attention, packed causal dropout",
       attend({.mask = causal(), .query_bounds = queries, .key_bounds = keys, .dropout = 0.3}), packed, trains},
      {"attention_weights", weights({}), {self[0], self[1]}},
      {"attention_weights, masked", weights({.mask = causal() & key_lengths({4, 0})}), {cross[0], cross[1]}},
      {"attention_weights, packed", weights(by_bounds), {packed[0], packed[1]}},
      {"attention_mix", [](In x) { return attention_mix(x[0], x[1]); }, {normal({2, 1, 2, 4}), cross[2]}},
      {"attention_mix, of attention_weights, dropout",
       [](In x) { return attention_mix(attention_weights(x[0], x[1]), x[2], {.dropout = 0.4}); }, cross, trains},
  };
}

}  // namespace mixtape::tests

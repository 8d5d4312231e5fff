#include <fmt/format.h>

#include <cmath>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "examples/attention_lab/derivatives.h"
#include "examples/attention_lab/preset.h"
#include "examples/self_attention_by_hand/by_hand.h"

namespace mixtape::attention_lab {
namespace {

Tensor matrix(const by_hand::Matrix& m) { return Tensor::from(m.values, {m.rows, m.columns}, f64); }
Tensor vector(const by_hand::Matrix& m) { return Tensor::from(m.values, {m.columns}, f64); }

}  // namespace

Preset make_by_hand(const Choice& choice) {
  const std::string name = "attention";
  if (!choice.layer.empty() && choice.layer != name)
    fail(fmt::format("--layer {}: there is only {}", choice.layer, name));
  const by_hand::Inputs in = by_hand::small_inputs();
  AttentionLayer layer;
  layer.given = {{"X", matrix(in.x)},           {"Wq", matrix(in.query_weight)}, {"bq", vector(in.query_bias)},
                 {"Wk", matrix(in.key_weight)}, {"bk", vector(in.key_bias)},     {"Wv", matrix(in.value_weight)},
                 {"bv", vector(in.value_bias)}};
  layer.given["G"] = matrix(by_hand::backward(in, by_hand::forward(in)).output);
  layer.mask = Tensor::from(std::vector<int32_t>(9, 1), {3, 3});
  layer.scale = 1 / std::sqrt(static_cast<double>(in.x.columns));

  const Matrices gradients = backward(layer);
  Captured captured{layer, {}, {}};
  captured.layers = {{name, forward(layer).at("A"), gradients.at("dA")}};
  captured.norms = {{0, name, norm(gradients.at("dQ")), norm(gradients.at("dK")), norm(gradients.at("dV"))}};
  Preset preset{.title = "Three tokens by hand",
                .about =
                    "Three tokens of width 2 and one head, small enough for paper: the numbers of "
                    "examples/self_attention_by_hand. The gradient of O is O - target.",
                .kind = "text",
                .queries = {"one", "two", "three"},
                .keys = {"one", "two", "three"},
                .layer = name,
                .query = 1};
  fill(preset, captured);
  return preset;
}

}  // namespace mixtape::attention_lab

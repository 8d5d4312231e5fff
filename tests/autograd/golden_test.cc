#include "tests/golden/golden.h"

#include <doctest/doctest.h>

#include <vector>

#include "autograd/ops.h"

using namespace mixtape;
using golden::Case;
using golden::Results;
using golden::Row;
using Rows = std::vector<Row>;

namespace {

Row unary(const char* name, Tensor (*op)(const Tensor&)) {
  return {name, [op](const Case& in) { return op(in["input"]); }};
}

void add(Rows& rows, const Rows& more) { rows.insert(rows.end(), more.begin(), more.end()); }

Rows arithmetic() {
  Rows rows{
      {"operator*.number",
       [](const Case& in) -> Results {
         return {in["x"] * 0.75, -1.5 * in["x"]};
       }},
      {"operator+.number",
       [](const Case& in) -> Results {
         return {in["x"] + 0.75, -1.5 + in["x"]};
       }},
      {"operator-.number",
       [](const Case& in) -> Results {
         return {in["x"] - 0.75, -1.5 - in["x"], -in["x"]};
       }},
      {"operator/.number", [](const Case& in) { return in["x"] / 0.75; }},
  };
  for (const std::string variant : {"", ".row", ".column", ".both", ".scalar"}) {
    add(rows, {{"operator+" + variant, [](const Case& in) { return in["input"] + in["other"]; }},
               {"operator-" + variant, [](const Case& in) { return in["input"] - in["other"]; }},
               {"operator*" + variant, [](const Case& in) { return in["input"] * in["other"]; }},
               {"operator/" + variant, [](const Case& in) { return in["input"] / in["other"]; }}});
  }
  return rows;
}

Rows functions() {
  return {
      unary("exp", exp),
      unary("log", log),
      unary("sqrt", sqrt),
      unary("tanh", tanh),
      unary("erf", erf),
      unary("relu", relu),
      {"gelu", [](const Case& in) { return gelu(in["input"]); }},
      {"gelu_tanh", [](const Case& in) { return gelu_tanh(in["input"]); }},
      {"greater", [](const Case& in) { return greater(in["input"], in["other"]); }},
      {"where", [](const Case& in) { return where(in["c"], in["a"], in["b"]); }},
  };
}

Results both(const TopK& top) { return {top.values, top.indices}; }

Rows reductions() {
  Rows rows{
      unary("sum", sum),
      unary("mean", mean),
      {"sum.keep_axis", [](const Case& in) { return sum(in["input"], 1, true); }},
      {"mean.keep_axis", [](const Case& in) { return mean(in["input"], 1, true); }},
      {"max.keep_axis", [](const Case& in) { return max(in["x"], 1, true); }},
      {"top_k", [](const Case& in) { return both(top_k(in["x"], 3)); }},
      {"top_k.all", [](const Case& in) { return both(top_k(in["x"], 7)); }},
      {"sum_to",
       [](const Case& in) {
         return sum_to(in["x"], {5, 1});
       }},
      {"sum_to.scalar", [](const Case& in) { return sum_to(in["x"], {}); }},
  };
  for (const int axis : {0, 1, -1}) {
    const std::string variant = ".axis" + std::to_string(axis);
    add(rows, {{"sum" + variant, [axis](const Case& in) { return sum(in["input"], axis); }},
               {"mean" + variant, [axis](const Case& in) { return mean(in["input"], axis); }},
               {"max" + variant, [axis](const Case& in) { return max(in["x"], axis); }},
               {"argmax" + variant, [axis](const Case& in) { return argmax(in["x"], axis); }}});
  }
  return rows;
}

Row product(const char* name, MatmulOptions options = {}) {
  return {name, [options](const Case& in) { return matmul(in["a"], in["b"], options); }};
}

Rows products() {
  return {
      product("matmul"),
      product("matmul.batch"),
      product("matmul.left"),
      product("matmul.right"),
      product("matmul.both"),
      product("matmul.large"),
      product("matmul.transpose_a", {.transpose_a = true}),
      product("matmul.transpose_b", {.transpose_b = true}),
      product("matmul.transpose_a.transpose_b", {.transpose_a = true, .transpose_b = true}),
      product("matmul.transpose_a.batch", {.transpose_a = true}),
      product("matmul.transpose_b.batch", {.transpose_b = true}),
      product("matmul.transpose_a.transpose_b.batch", {.transpose_a = true, .transpose_b = true}),
      {"linear", [](const Case& in) { return linear(in["input"], in["weight"], in["bias"]); }},
      {"linear.no_bias", [](const Case& in) { return linear(in["input"], in["weight"]); }},
      {"linear.batch", [](const Case& in) { return linear(in["input"], in["weight"], in["bias"]); }},
  };
}

Rows activations() {
  Rows rows;
  const std::pair<std::string, Activation> functions[] = {
      {"relu", Activation::relu}, {"gelu", Activation::gelu}, {"gelu_tanh", Activation::gelu_tanh}};
  for (const auto& [name, function] : functions) {
    const Activation f = function;
    rows.push_back({"activate." + name, [f](const Case& in) { return activate(in["input"], f); }});
    rows.push_back({"activated_linear." + name,
                    [f](const Case& in) { return linear(activate(in["input"] * 1.0, f), in["weight"], in["bias"]); }});
  }
  return rows;
}

Rows shapes() {
  Rows rows{
      {"reshape",
       [](const Case& in) {
         return reshape(in["x"], {6, 10});
       }},
      {"reshape.rest",
       [](const Case& in) {
         return reshape(in["x"], {2, -1, 3});
       }},
      {"transpose", [](const Case& in) { return transpose(in["x"]); }},
      {"transpose.axes", [](const Case& in) { return transpose(in["x"], 0, 2); }},
      {"broadcast_to",
       [](const Case& in) {
         return broadcast_to(in["x"], {2, 3, 5});
       }},
      {"split",
       [](const Case& in) {
         return split(in["x"], {1, 2, 1}, 1);
       }},
      {"split.last_axis",
       [](const Case& in) {
         return split(in["x"], {3, 2}, -1);
       }},
      {"slice", [](const Case& in) { return slice(in["x"], 0, 1, 3); }},
      {"slice.last_axis", [](const Case& in) { return slice(in["x"], -1, 2, 5); }},
      {"place",
       [](const Case& in) {
         return place(in["x"], {3, 7, 5}, 1, 2);
       }},
      {"place.last_axis",
       [](const Case& in) {
         return place(in["x"], {3, 4, 9}, -1, 1);
       }},
      {"cast",
       [](const Case& in) -> Results {
         return {cast(cast(in["x"], f32), in.dtype()), cast(cast(in["x"], f64), in.dtype())};
       }},
  };
  for (const int axis : {0, 1, -1}) {
    add(rows, {{"concat.axis" + std::to_string(axis), [axis](const Case& in) {
                  return concat({in["a"], in["b"], in["c"]}, axis);
                }}});
  }
  return rows;
}

Rows indexing() {
  return {
      {"gather", [](const Case& in) { return gather(in["x"], in["indices"], 1); }},
      {"gather.axis0", [](const Case& in) { return gather(in["x"], in["indices"], 0); }},
      {"scatter_add",
       [](const Case& in) {
         return scatter_add(in["x"], in["indices"], 1, {3, 5});
       }},
      {"scatter_add.axis0",
       [](const Case& in) {
         return scatter_add(in["x"], in["indices"], 0, {6, 4});
       }},
      {"embedding", [](const Case& in) { return embedding(in["indices"], in["table"]); }},
      {"embedding_grad", [](const Case& in) { return embedding_grad(in["x"], in["indices"], 6); }},
      {"to_padded", [](const Case& in) { return to_padded(in["rows"], in.bounds("lengths")); }},
      {"to_packed", [](const Case& in) { return to_packed(in["batch"], in.bounds("lengths")); }},
  };
}

Row loss(const char* name, CrossEntropyOptions options = {}) {
  return {name, [options](const Case& in) { return cross_entropy(in["logits"], in["targets"], options); }};
}

Row soft_loss(const char* name, SoftCrossEntropyOptions options = {}) {
  return {name, [options](const Case& in) { return soft_cross_entropy(in["logits"], in["targets"], options); }};
}

Results all_of(const BatchNormed& result) { return {result.y, result.mean, result.variance}; }

Rows softmax_and_loss() {
  return {
      {"softmax", [](const Case& in) { return softmax(in["x"]); }},
      {"log_softmax", [](const Case& in) { return log_softmax(in["x"]); }},
      {"layer_norm", [](const Case& in) { return layer_norm(in["x"], in["gamma"], in["beta"]); }},
      {"layer_norm.epsilon", [](const Case& in) { return layer_norm(in["x"], in["gamma"], in["beta"], 0.25); }},
      {"batch_norm", [](const Case& in) { return all_of(batch_norm(in["x"], in["gamma"], in["beta"])); }},
      {"batch_norm.epsilon", [](const Case& in) { return all_of(batch_norm(in["x"], in["gamma"], in["beta"], 0.25)); }},
      {"dropout", [](const Case& in) { return dropout(in["x"], 0.4); }},
      {"stochastic_depth", [](const Case& in) { return stochastic_depth(in["x"], 0.4); }},
      loss("cross_entropy"),
      loss("cross_entropy.sum", {.reduction = Reduction::sum}),
      loss("cross_entropy.smoothing", {.label_smoothing = 0.1}),
      loss("cross_entropy.sum.smoothing", {.label_smoothing = 0.3, .reduction = Reduction::sum}),
      loss("cross_entropy.ignored", {.ignored = 2}),
      soft_loss("soft_cross_entropy"),
      soft_loss("soft_cross_entropy.sum", {.reduction = Reduction::sum}),
      soft_loss("soft_cross_entropy.smoothing", {.label_smoothing = 0.1}),
      soft_loss("soft_cross_entropy.constant_targets"),
  };
}

Row convolution(const std::string& variant, const Conv2dOptions& options) {
  return {"conv2d" + variant, [options](const Case& in) { return conv2d(in["x"], in["weight"], in["bias"], options); }};
}

Rows images() {
  const WindowOptions window{.height = 3, .width = 2, .stride = 2, .padding = 1};
  Rows rows{
      {"unfold", [=](const Case& in) { return unfold(in["x"], window); }},
      {"fold",
       [=](const Case& in) {
         return fold(in["x"], {2, 5, 7, 3}, window);
       }},
      {"patches", [](const Case& in) { return patches(in["x"], 2); }},
      {"conv2d.no_bias", [](const Case& in) { return conv2d(in["x"], in["weight"]); }},
      convolution("", {}),
      convolution(".stride", {.stride = 2}),
      convolution(".padding", {.padding = 2}),
      convolution(".stride.padding", {.stride = 3, .padding = 1}),
  };
  const std::pair<const char*, PoolOptions> pools[] = {
      {"", {}}, {".stride", {.size = 2, .stride = 1}}, {".padding", {.size = 3, .stride = 2, .padding = 1}}};
  for (const auto& [variant, options] : pools) {
    const PoolOptions pool = options;
    add(rows,
        {{std::string("max_pool2d") + variant, [pool](const Case& in) { return max_pool2d(in["x"], pool); }},
         {std::string("average_pool2d") + variant, [pool](const Case& in) { return average_pool2d(in["x"], pool); }}});
  }
  return rows;
}

using Options = std::function<AttentionOptions(const Case&)>;

Row attention(const std::string& variant, const Options& options) {
  return {"scaled_dot_product_attention" + variant, [options](const Case& in) {
            return scaled_dot_product_attention(in["query"], in["key"], in["value"], options(in));
          }};
}

AttentionOptions packed(const Case& in, const Mask& mask = {}) {
  return {.mask = mask, .query_bounds = in.bounds("queries"), .key_bounds = in.bounds("keys")};
}

Rows attentions() {
  const Options plain = [](const Case&) -> AttentionOptions { return {}; };
  const Options look_back = [](const Case&) -> AttentionOptions { return {.mask = causal()}; };
  const Options pairs = [](const Case& in) -> AttentionOptions { return {.mask = allowed_pairs(in["pairs"])}; };
  const Options bias = [](const Case& in) -> AttentionOptions { return {.mask = additive_bias(in["bias"])}; };
  return {
      attention("", plain),
      attention(".cross", plain),
      attention(".scale", [](const Case&) -> AttentionOptions { return {.scale = 0.7}; }),
      attention(".causal", look_back),
      attention(".causal.cross", look_back),
      attention(".key_lengths",
                [](const Case&) -> AttentionOptions {
                  return {.mask = key_lengths({2, 5})};
                }),
      attention(".causal.key_lengths",
                [](const Case&) -> AttentionOptions {
                  return {.mask = causal() & key_lengths({2, 5})};
                }),
      attention(".pairs", pairs),
      attention(".pairs.empty", pairs),
      attention(".pairs.batch",
                [](const Case& in) -> AttentionOptions {
                  return {.mask = allowed_pairs(in["pairs"].view({2, 4, 5}))};  // PyTorch wants [2, 1, 4, 5]
                }),
      attention(".pairs.heads", pairs),
      attention(".bias", bias),
      attention(".bias.batch", bias),
      attention(".bias.heads.causal",
                [](const Case& in) -> AttentionOptions { return {.mask = additive_bias(in["bias"]) & causal()}; }),
      attention(".packed", [](const Case& in) { return packed(in); }),
      attention(".packed.cross", [](const Case& in) { return packed(in); }),
      attention(".packed.causal", [](const Case& in) { return packed(in, causal()); }),
      {"attention_weights", [](const Case& in) { return attention_weights(in["query"], in["key"]); }},
      {"attention_weights.causal",
       [](const Case& in) { return attention_weights(in["query"], in["key"], {.mask = causal()}); }},
      {"attention_weights.packed",
       [](const Case& in) { return attention_weights(in["query"], in["key"], packed(in)); }},
      {"attention_mix", [](const Case& in) { return attention_mix(in["weights"], in["value"]); }},
  };
}

Rows all_rows() {
  Rows rows;
  for (const auto& family : {arithmetic, functions, reductions, products, shapes, indexing, softmax_and_loss,
                             attentions, images, activations}) {
    add(rows, family());
  }
  return rows;
}

}  // namespace

TEST_CASE("golden: ops and their gradients equal PyTorch's in f64") { golden::check_rows("ops", all_rows(), f64); }

TEST_CASE("golden: ops and their gradients equal PyTorch's in f32") { golden::check_rows("ops", all_rows(), f32); }

TEST_CASE("golden: every op of ops.h is compared with PyTorch") {
  const std::set<std::string> without = {};  // ops without a case
  const auto ops = golden::declared_in(MIXTAPE_SOURCE_DIR "/autograd/ops.h",
                                       R"(^(?:inline )?[\w:<>]+ (operator.|\w+)\()", "namespace composed");
  CHECK(ops.size() > 40);
  golden::check_covers("ops", ops, without);
}

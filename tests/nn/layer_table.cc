#include "tests/nn/layer_table.h"

#include <memory>
#include <utility>

#include "nn/nn.h"

using namespace mixtape;

namespace {

using Names = std::vector<std::string>;
using Inputs = std::vector<Tensor>;
using Rows = std::vector<LayerRow>;

constexpr int64_t kWidth = 4, kHidden = 3, kVocab = 5;
constexpr RandomKey kKey{11, 3};

template <class Model, class Call>
LayerRow row(const std::string& name, const Names& names, const Inputs& inputs, Model made, const Call& call) {
  const auto model = std::make_shared<const Model>(std::move(made));
  nn::to(*model, f64);
  Random random(23);
  for (const NamedTensor& x : nn::named_tensors(*model)) {  // a buffer may be a variance
    const Shape& shape = x.tensor.shape();
    x.tensor.copy_from(x.tensor.is_buffer() ? random.uniform(shape, 0.5, 1.5) : random.normal(shape, 0.2, 0.6));
  }
  LayerRow result;
  result.name = name;
  result.type = name.substr(0, name.find(','));
  result.names = names;
  result.model = model;
  result.inputs = inputs;
  result.call = [model, call](const Inputs& in) { return call(*model, in); };
  return result;
}

LayerRow with_dropout(LayerRow row) {
  row.random = kKey;
  return row;
}

Names below(const std::string& prefix, const Names& names) {
  Names result;
  for (const std::string& name : names) result.push_back(prefix + "." + name);
  return result;
}

Names join(const std::vector<Names>& parts) {
  Names all;
  for (const Names& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

const Names kWeight{"weight"}, kWeightBias{"weight", "bias"};
const Names kFeedForward = join({below("up", kWeightBias), below("down", kWeightBias)});
const Names kAttention = join({below("query", kWeightBias), below("key", kWeightBias), below("value", kWeightBias),
                               below("output", kWeightBias)});
const Names kEncoderLayer = join({below("attention_norm", kWeightBias), below("attention", kAttention),
                                  below("feed_forward_norm", kWeightBias), below("feed_forward", kFeedForward)});
const Names kScaledEncoderLayer = join({below("attention_norm", kWeightBias), below("attention", kAttention),
                                        below("attention_scale", kWeight), below("feed_forward_norm", kWeightBias),
                                        below("feed_forward", kFeedForward), below("feed_forward_scale", kWeight)});
const Names kScaledDecoderLayer =
    join({below("attention_norm", kWeightBias), below("attention", kAttention), below("attention_scale", kWeight),
          below("cross_norm", kWeightBias), below("cross", kAttention), below("cross_scale", kWeight),
          below("feed_forward_norm", kWeightBias), below("feed_forward", kFeedForward),
          below("feed_forward_scale", kWeight)});
const Names kDecoderLayer =
    join({below("attention_norm", kWeightBias), below("attention", kAttention), below("cross_norm", kWeightBias),
          below("cross", kAttention), below("feed_forward_norm", kWeightBias), below("feed_forward", kFeedForward)});

Tensor normal(const Shape& shape, uint64_t seed) { return Random(seed).normal(shape, 0, 1, f64); }
Tensor tokens(const std::vector<int32_t>& ids) { return Tensor::from(ids, {static_cast<int64_t>(ids.size())}); }

nn::BlockOptions block(bool pre_norm, double dropout) {
  return {.width = kWidth,
          .heads = 2,
          .feed_forward = kHidden,
          .dropout = dropout,
          .attention_dropout = dropout,
          .activation_dropout = dropout,
          .activation = nn::Activation::gelu,
          .pre_norm = pre_norm};
}

void add_simple_layers(Rows& rows) {
  Random random(1);
  const auto unary = [](const auto& layer, const Inputs& in) { return layer(in[0]); };
  const auto at_positions = [](const auto& layer, const Inputs& in) { return layer(in[0], tokens({4, 0, 1})); };
  rows.push_back(row("Linear", kWeightBias, {normal({2, 3}, 2)}, nn::Linear(3, 2, random), unary));
  rows.push_back(
      row("Embedding", kWeight, {}, nn::Embedding(4, 3, random), [](const nn::Embedding& layer, const Inputs&) {
        return layer(tokens({3, 0, 1, 2, 3}));
      }));
  rows.push_back(row("LayerNorm", kWeightBias, {normal({3, 4}, 3)}, nn::LayerNorm(4), unary));
  rows.push_back(with_dropout(row("Dropout", {}, {normal({3, 4}, 4)}, nn::Dropout(0.3), unary)));
  rows.push_back(row("Softmax", {}, {normal({2, 3}, 5)}, nn::Softmax(), unary));
  const std::pair<std::string, nn::Activation> activations[] = {
      {"relu", nn::Activation::relu}, {"gelu", nn::Activation::gelu}, {"gelu_tanh", nn::Activation::gelu_tanh}};
  for (const auto& [name, activation] : activations) {
    rows.push_back(with_dropout(row("FeedForward, " + name, kFeedForward, {normal({2, 3}, 6)},
                                    nn::FeedForward(3, 5, activation, 0.2, random), unary)));
  }
  rows.push_back(row("SinusoidalPositions", {}, {normal({3, 4}, 7)}, nn::SinusoidalPositions(6, 4), at_positions));
  rows.push_back(row("LearnedPositions", kWeight, {normal({3, 4}, 8)}, nn::LearnedPositions(5, 4, random),
                     [](const nn::LearnedPositions& layer, const Inputs& in) {
                       return layer(in[0], tokens({4, 0, 1}));
                     }));
  const Names self = join({below("query", kWeightBias), below("key", kWeightBias), below("value", kWeightBias)});
  rows.push_back(row("SelfAttention", self, {normal({2, 3, 3}, 9)}, nn::SelfAttention(3, random), unary));
}

// Images have sides of 4 pixels and 2 channels.
void add_image_layers(Rows& rows) {
  Random random(5);
  const auto unary = [](const auto& layer, const Inputs& in) { return layer(in[0]); };
  const Tensor images = normal({2, 4, 4, 2}, 10);
  rows.push_back(row("Conv2d", kWeightBias, {images}, nn::Conv2d(2, 3, 3, {.stride = 2, .padding = 1}, random), unary));
  rows.push_back(row("MaxPool2d", {}, {images}, nn::MaxPool2d(), unary));
  rows.push_back(row("AveragePool2d", {}, {images}, nn::AveragePool2d({.size = 3, .stride = 1, .padding = 1}), unary));
  const Names statistics{"weight", "bias", "running_mean", "running_variance"};
  rows.push_back(row("BatchNorm", statistics, {images}, nn::BatchNorm(2), unary));
  rows.push_back(with_dropout(row("BatchNorm, training", statistics, {images}, nn::BatchNorm(2), unary)));
  rows.push_back(row("LayerScale", kWeight, {normal({3, 4}, 11)}, nn::LayerScale(4, 0.1), unary));
  rows.push_back(with_dropout(row("StochasticDepth", {}, {normal({5, 2}, 12)}, nn::StochasticDepth(0.4),
                                  [](const nn::StochasticDepth& layer, const Inputs& in) {
                                    return layer(in[0], Bounds({1, 2, 1, 1}));
                                  })));
  rows.push_back(row("SinusoidalPositions2d", {}, {normal({2, 6, 4}, 13)}, nn::SinusoidalPositions2d(2, 3, 4), unary));
  rows.push_back(row("PatchEmbedding, patch", below("projection", kWeightBias), {images},
                     nn::PatchEmbedding({.patch = 2, .channels = 2, .width = 3}, random), unary));
  const Names stem =
      join({below("convolution.0", kWeightBias), below("convolution.1", kWeightBias), below("norm.0", kWeightBias),
            below("norm.1", kWeightBias), below("projection", kWeightBias)});
  rows.push_back(row("PatchEmbedding, convolution", stem, {images},
                     nn::PatchEmbedding({.patch = 4, .channels = 2, .width = 6, .stem = nn::Stem::convolution}, random),
                     unary));
}

nn::VisionTransformerOptions small_vision() {
  return {.image_height = 4,
          .image_width = 2,
          .channels = 2,
          .patch = 2,
          .classes = 3,
          .block = block(true, 0),
          .layers = 2};
}

void add_vision(Rows& rows) {
  Random random(6);
  const auto classify = [](const nn::VisionTransformer& model, const Inputs& in) { return model(in[0]); };
  const Tensor images = normal({2, 4, 2, 2}, 14);
  const auto names = [](const Names& embedding, const Names& extra, const Names& layer) {
    return join({below("embedding", embedding), extra, below("encoder.layer.0", layer), below("encoder.layer.1", layer),
                 below("encoder.norm", kWeightBias), below("head", kWeightBias)});
  };
  const Names projection = below("projection", kWeightBias);
  rows.push_back(row("VisionTransformer, class token",
                     names(projection, {"class_token", "positions.weight"}, kEncoderLayer), {images},
                     nn::VisionTransformer(small_vision(), random), classify));
  nn::VisionTransformerOptions options = small_vision();
  options.block = block(true, 0.2);
  options.block.stochastic_depth = 0.4;
  options.block.layer_scale = 0.1;
  options.pooling = nn::Pooling::mean;
  options.positions = nn::PositionKind::sinusoidal;
  options.stem = nn::Stem::convolution;
  const Names stem = join({below("convolution.0", kWeightBias), below("norm.0", kWeightBias), projection});
  rows.push_back(with_dropout(row("VisionTransformer, mean", names(stem, {}, kScaledEncoderLayer), {images},
                                  nn::VisionTransformer(options, random), classify)));
}

void add_attention(Rows& rows) {
  Random random(2);
  using nn::MultiHeadAttention;
  const auto add = [&](const std::string& what, const Inputs& inputs, double dropout, const auto& call) {
    LayerRow made = row("MultiHeadAttention, " + what, kAttention, inputs,
                        MultiHeadAttention({.width = kWidth, .heads = 2, .dropout = dropout}, random), call);
    rows.push_back(dropout > 0 ? with_dropout(std::move(made)) : std::move(made));
  };
  const Bounds queries({2, 0, 3}), keys({3, 1, 2});
  add("self", {normal({2, 3, kWidth}, 1)}, 0, [](const auto& layer, const Inputs& in) { return layer(in[0]); });
  add("cross", {normal({2, 3, kWidth}, 2), normal({2, 4, kWidth}, 3)}, 0.3,
      [](const auto& layer, const Inputs& in) { return layer(in[0], in[1], nn::Attend{}); });
  add("masked", {normal({2, 3, kWidth}, 4), normal({3, 3}, 5)}, 0.3, [](const auto& layer, const Inputs& in) {
    return layer(in[0], nn::Attend{.mask = causal() & key_lengths({3, 2}) & additive_bias(in[1])});
  });
  add("packed self", {normal({5, kWidth}, 6)}, 0.3, [queries](const auto& layer, const Inputs& in) {
    return layer(in[0], nn::Attend{.queries = queries, .mask = causal()});
  });
  add("packed cross", {normal({5, kWidth}, 7), normal({6, kWidth}, 8)}, 0,
      [queries, keys](const auto& layer, const Inputs& in) {
        return layer(in[0], in[1], nn::Attend{.queries = queries, .keys = keys});
      });
  add("weights", {normal({2, 2, kWidth}, 9), normal({2, 3, kWidth}, 10)}, 0.3,
      [](const auto& layer, const Inputs& in) { return layer.with_weights(in[0], in[1]).output; });
}

void add_linear_attention(Rows& rows) {
  Random random(6);
  const Bounds bounds({3, 0, 2});
  for (const bool causal : {false, true}) {
    const auto add = [&](const char* what, const Tensor& x, const auto& call) {
      const std::string name = fmt::format("LinearAttention, {}{}", causal ? "causal " : "", what);
      const nn::LinearAttention layer({.width = kWidth, .heads = 2, .causal = causal}, random);
      rows.push_back(row(name, kAttention, {x}, layer, call));
    };
    add("batch", normal({2, 3, kWidth}, 1), [](const auto& layer, const Inputs& in) { return layer(in[0]); });
    add("packed", normal({5, kWidth}, 2),
        [bounds](const auto& layer, const Inputs& in) { return layer(in[0], bounds); });
  }
}

void add_blocks(Rows& rows) {
  Random random(3);
  const Bounds bounds({2, 1}), memory({1, 2});
  const auto encode = [bounds](const auto& layer, const Inputs& in) {
    return layer(in[0], nn::Attend{.queries = bounds});
  };
  const auto decode = [bounds, memory](const auto& layer, const Inputs& in) {
    return layer(in[0], in[1], nn::Attend{.queries = bounds, .mask = causal()},
                 nn::Attend{.queries = bounds, .keys = memory});
  };
  const Tensor x = normal({3, kWidth}, 4), y = normal({3, kWidth}, 5);
  for (const bool pre : {true, false}) {
    const std::string norm = pre ? ", pre-norm" : ", post-norm";
    const auto options = block(pre, 0.2);
    const Names last = pre ? below("norm", kWeightBias) : Names{};
    rows.push_back(
        with_dropout(row("EncoderLayer" + norm, kEncoderLayer, {x}, nn::EncoderLayer(options, random), encode)));
    rows.push_back(
        with_dropout(row("DecoderLayer" + norm, kDecoderLayer, {x, y}, nn::DecoderLayer(options, random), decode)));
    rows.push_back(row("Encoder" + norm, join({below("layer.0", kEncoderLayer), below("layer.1", kEncoderLayer), last}),
                       {x}, nn::Encoder(2, block(pre, 0), random), encode));
    rows.push_back(row("Decoder" + norm, join({below("layer.0", kDecoderLayer), last}), {x, y},
                       nn::Decoder(1, block(pre, 0), random), decode));
    auto scaled = block(pre, 0.2);
    scaled.stochastic_depth = 0.5;
    scaled.layer_scale = 0.1;
    rows.push_back(with_dropout(
        row("EncoderLayer, scaled" + norm, kScaledEncoderLayer, {x}, nn::EncoderLayer(scaled, random), encode)));
    rows.push_back(with_dropout(
        row("DecoderLayer, scaled" + norm, kScaledDecoderLayer, {x, y}, nn::DecoderLayer(scaled, random), decode)));
  }
}

void add_models(Rows& rows) {
  Random random(4);
  const Packed source = pack({{1, 4}, {2}}), target = pack({{3, 0}, {2, 1, 4}});
  const auto translate = [source, target](const auto& model, const Inputs&) { return model(source, target); };
  const auto predict = [target](const auto& model, const Inputs&) { return model(target); };
  const auto layers = [](const std::string& prefix, const Names& layer) {
    return join({below(prefix + ".layer.0", layer), below(prefix + ".norm", kWeightBias)});
  };
  const Names embedding{"embedding.weight"}, positions{"positions.weight"}, target_embedding{"target_embedding.weight"};
  const Names output = below("output", kWeightBias);
  const Names both = join({layers("encoder", kEncoderLayer), layers("decoder", kDecoderLayer)});
  for (const bool tied : {true, false}) {
    const std::string how = tied ? ", tied" : ", untied";
    rows.push_back(row("Transformer" + how,
                       tied ? join({embedding, both}) : join({embedding, target_embedding, both, output}), {},
                       nn::Transformer({.vocab = kVocab,
                                        .block = {.width = kWidth, .heads = 2, .feed_forward = kHidden},
                                        .layers = 1,
                                        .longest = 4,
                                        .tie_embeddings = tied},
                                       random),
                       translate));
    const Names parts = join({embedding, positions, layers("decoder", kEncoderLayer)});
    rows.push_back(
        row("LanguageModel" + how, tied ? parts : join({parts, output}), {},
            nn::LanguageModel(
                {.vocab = kVocab, .block = block(true, 0), .layers = 1, .longest = 3, .tie_embeddings = tied}, random),
            predict));
  }
}

}  // namespace

std::vector<LayerRow> layer_table() {
  std::vector<LayerRow> rows;
  add_simple_layers(rows);
  add_image_layers(rows);
  add_attention(rows);
  add_linear_attention(rows);
  add_blocks(rows);
  add_models(rows);
  add_vision(rows);
  return rows;
}

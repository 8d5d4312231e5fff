#include "tests/golden/golden.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <type_traits>
#include <vector>

#include "nn/nn.h"

using namespace mixtape;
using golden::Case;
using golden::Results;
using golden::Row;
using Rows = std::vector<Row>;

namespace {

// A model with the weights of the case, in its dtype.
template <class Model, class... Arguments>
Model made(Case& in, const Arguments&... arguments) {
  Random random(1);
  const auto build = [&] {
    if constexpr (std::is_constructible_v<Model, const Arguments&..., Random&>) {
      return Model(arguments..., random);
    } else {
      return Model(arguments...);
    }
  };
  const Model model = build();
  nn::to(model, in.dtype());
  in.load(nn::named_tensors(model));
  return model;
}

Row feed_forward(const char* name, nn::Activation activation) {
  return {name, [activation](Case& in) { return made<nn::FeedForward>(in, 5, 9, activation, 0.5)(in["x"]); }};
}

Rows small_layers() {
  return {
      {"Linear", [](Case& in) { return made<nn::Linear>(in, 5, 7)(in["input"]); }},
      {"Linear.batch", [](Case& in) { return made<nn::Linear>(in, 5, 7)(in["input"]); }},
      {"Embedding", [](Case& in) { return made<nn::Embedding>(in, 7, 5)(in["input"]); }},
      {"LayerNorm", [](Case& in) { return made<nn::LayerNorm>(in, 5)(in["input"]); }},
      {"LayerNorm.epsilon", [](Case& in) { return made<nn::LayerNorm>(in, 5, 0.25)(in["input"]); }},
      {"Softmax", [](Case& in) { return made<nn::Softmax>(in)(in["input"]); }},
      {"Dropout", [](Case& in) { return made<nn::Dropout>(in, 0.4)(in["input"]); }},
      feed_forward("FeedForward.relu", nn::Activation::relu),
      feed_forward("FeedForward.gelu", nn::Activation::gelu),
      feed_forward("FeedForward.gelu_tanh", nn::Activation::gelu_tanh),
      {"SinusoidalPositions",
       [](Case& in) { return made<nn::SinusoidalPositions>(in, 7, 6)(in["x"], in["positions"]); }},
      {"LearnedPositions", [](Case& in) { return made<nn::LearnedPositions>(in, 7, 5)(in["x"], in["positions"]); }},
      {"SelfAttention", [](Case& in) { return made<nn::SelfAttention>(in, 5)(in["x"]); }},
  };
}

nn::Attend within(const Case& in, const Mask& mask = {}) { return {.queries = in.bounds("lengths"), .mask = mask}; }

nn::Attend across(const Case& in) { return {.queries = in.bounds("lengths"), .keys = in.bounds("memory_lengths")}; }

nn::MultiHeadAttention multi_head(Case& in) {
  return made<nn::MultiHeadAttention>(in, nn::MultiHeadAttentionOptions{.width = 6, .heads = 2, .dropout = 0.5});
}

Rows multi_head_attention() {
  return {
      {"MultiHeadAttention", [](Case& in) { return multi_head(in)(in["x"]); }},
      {"MultiHeadAttention.causal", [](Case& in) { return multi_head(in)(in["x"], nn::Attend{.mask = causal()}); }},
      {"MultiHeadAttention.cross", [](Case& in) { return multi_head(in)(in["x"], in["memory"], nn::Attend{}); }},
      {"MultiHeadAttention.weights",
       [](Case& in) -> Results {
         const auto [output, weights] = multi_head(in).with_weights(in["x"], in["memory"]);
         return {output, weights};
       }},
      {"MultiHeadAttention.packed.causal", [](Case& in) { return multi_head(in)(in["x"], within(in, causal())); }},
      {"MultiHeadAttention.packed.cross", [](Case& in) { return multi_head(in)(in["x"], in["memory"], across(in)); }},
  };
}

Rows linear_attention() {
  const auto made_as = [](Case& in, bool causal) {
    return made<nn::LinearAttention>(in, nn::LinearAttentionOptions{.width = 6, .heads = 2, .causal = causal});
  };
  return {
      {"LinearAttention", [=](Case& in) { return made_as(in, false)(in["x"]); }},
      {"LinearAttention.causal", [=](Case& in) { return made_as(in, true)(in["x"]); }},
      {"LinearAttention.packed.causal", [=](Case& in) { return made_as(in, true)(in["x"], in.bounds("lengths")); }},
  };
}

nn::BlockOptions block(bool pre_norm, nn::Activation activation = nn::Activation::relu) {
  return {.width = 6, .heads = 2, .feed_forward = 10, .activation = activation, .pre_norm = pre_norm};
}

Tensor decode(const Case& in, const auto& decoder) {
  return decoder(in["x"], in["memory"], within(in, causal()), across(in));
}

Rows blocks(const std::string& norm, const nn::BlockOptions& options) {
  return {
      {"EncoderLayer." + norm, [=](Case& in) { return made<nn::EncoderLayer>(in, options)(in["x"], within(in)); }},
      {"Encoder." + norm, [=](Case& in) { return made<nn::Encoder>(in, 2, options)(in["x"], within(in)); }},
      {"DecoderLayer." + norm, [=](Case& in) { return decode(in, made<nn::DecoderLayer>(in, options)); }},
      {"Decoder." + norm, [=](Case& in) { return decode(in, made<nn::Decoder>(in, 2, options)); }},
  };
}

Row transformer(const char* name, bool pre_norm, bool tied) {
  const nn::TransformerOptions options{
      .vocab = 10, .block = block(pre_norm), .layers = 1, .longest = 8, .tie_embeddings = tied};
  return {name, [options](Case& in) {
            const Packed source{in["source"], in.bounds("source_lengths")};
            const Packed target{in["target"], in.bounds("target_lengths")};
            return made<nn::Transformer>(in, options)(source, target);
          }};
}

Row language_model(const char* name, bool tied) {
  const nn::LanguageModelOptions options{
      .vocab = 10, .block = block(true, nn::Activation::gelu), .layers = 2, .longest = 5, .tie_embeddings = tied};
  return {name, [options](Case& in) {
            return made<nn::LanguageModel>(in, options)(Packed{in["tokens"], in.bounds("lengths")});
          }};
}

Rows models() {
  const nn::BlockOptions gelu = block(true, nn::Activation::gelu);
  return {
      {"EncoderLayer.gelu", [=](Case& in) { return made<nn::EncoderLayer>(in, gelu)(in["x"], within(in)); }},
      {"EncoderLayer.padded", [](Case& in) { return made<nn::EncoderLayer>(in, block(true))(in["x"], nn::Attend{}); }},
      transformer("Transformer.tied", true, true),
      transformer("Transformer.untied", true, false),
      transformer("Transformer.post_norm", false, true),
      language_model("LanguageModel.tied", true),
      language_model("LanguageModel.untied", false),
  };
}

Rows image_layers() {
  using nn::PatchEmbeddingOptions;
  const Conv2dOptions strided{.stride = 2, .padding = 1};
  const PoolOptions overlapping{.size = 3, .stride = 2, .padding = 1};
  const PatchEmbeddingOptions squares{.patch = 2, .channels = 3, .width = 5};
  const PatchEmbeddingOptions stem{.patch = 4, .channels = 3, .width = 6, .stem = nn::Stem::convolution};
  return {
      {"Conv2d", [=](Case& in) { return made<nn::Conv2d>(in, 3, 4, 3, strided)(in["x"]); }},
      {"MaxPool2d", [=](Case& in) { return made<nn::MaxPool2d>(in, overlapping)(in["x"]); }},
      {"AveragePool2d", [=](Case& in) { return made<nn::AveragePool2d>(in, overlapping)(in["x"]); }},
      {"BatchNorm", [](Case& in) { return made<nn::BatchNorm>(in, 3)(in["x"]); }},
      {"LayerScale", [](Case& in) { return made<nn::LayerScale>(in, 5, 0.1)(in["x"]); }},
      {"StochasticDepth", [](Case& in) { return made<nn::StochasticDepth>(in, 0.4)(in["x"]); }},
      {"SinusoidalPositions2d", [](Case& in) { return made<nn::SinusoidalPositions2d>(in, 3, 2, 8)(in["x"]); }},
      {"PatchEmbedding", [=](Case& in) { return made<nn::PatchEmbedding>(in, squares)(in["x"]); }},
      {"PatchEmbedding.convolution", [=](Case& in) { return made<nn::PatchEmbedding>(in, stem)(in["x"]); }},
  };
}

// A whole training step: logits, loss and all gradients.
Row vision_transformer(const char* name, const nn::VisionTransformerOptions& options) {
  return {name, [options](Case& in) -> Results {
            const Tensor scores = made<nn::VisionTransformer>(in, options)(in["images"]);
            return {scores, cross_entropy(scores, in["labels"], {.label_smoothing = 0.1})};
          }};
}

Rows vision_transformers() {
  nn::VisionTransformerOptions options{
      .image_height = 8,
      .image_width = 12,
      .channels = 3,
      .patch = 4,
      .classes = 5,
      .block = {.width = 12, .heads = 3, .feed_forward = 20, .activation = nn::Activation::gelu},
      .layers = 2};
  const Row plain = vision_transformer("VisionTransformer", options);
  options.block.layer_scale = 0.1;
  options.pooling = nn::Pooling::mean;
  options.positions = nn::PositionKind::sinusoidal;
  options.stem = nn::Stem::convolution;
  return {plain, vision_transformer("VisionTransformer.mean.sinusoidal.scaled.convolution", options)};
}

Rows all_rows() {
  Rows rows = small_layers();
  for (const Rows& more : {multi_head_attention(), linear_attention(), blocks("pre_norm", block(true)),
                           blocks("post_norm", block(false)), models(), image_layers(), vision_transformers()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace

TEST_CASE("golden: layers and their gradients equal PyTorch's in f64") {
  golden::check_rows("layers", all_rows(), f64);
}

TEST_CASE("golden: layers and their gradients equal PyTorch's in f32") {
  golden::check_rows("layers", all_rows(), f32);
}

TEST_CASE("golden: every layer of nn is compared with PyTorch") {
  const std::set<std::string> without = {};  // layers without a case
  std::set<std::string> layers;
  for (const auto& entry : std::filesystem::directory_iterator(MIXTAPE_SOURCE_DIR "/nn")) {
    if (entry.path().extension() == ".h")
      layers.merge(golden::declared_in(entry.path(), R"(^struct \w+ : Layer<(\w+)>)"));
  }
  CHECK(layers.size() >= 15);
  golden::check_covers("layers", layers, without);
}

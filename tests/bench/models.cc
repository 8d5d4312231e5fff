#include "tests/bench/models.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "nn/language_model.h"
#include "nn/transformer.h"
#include "nn/vision_transformer.h"
#include "optim/adam.h"
#include "optim/adamw.h"

namespace mixtape::bench {
namespace {

Tensor random_tokens(int64_t count, int32_t first, int64_t vocab, Random& random) {
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  for (int32_t& token : tokens) token = first + static_cast<int32_t>(random.below(vocab - first));
  return Tensor::from(tokens, {count});
}

nn::BlockOptions without_dropout(int64_t width, int64_t heads, int64_t feed_forward) {
  return {.width = width,
          .heads = heads,
          .feed_forward = feed_forward,
          .dropout = 0,
          .attention_dropout = 0,
          .activation = nn::Activation::gelu};
}

struct TranslatorSize {
  nn::TransformerOptions options;
  int64_t batch, lengths;  // pair i has 8 + 7 i mod lengths source and 8 + (5 i + 3) mod lengths target tokens
};

Workload translator(const TranslatorSize& size, uint64_t seed) {
  Random random(seed);
  const auto model = std::make_shared<nn::Transformer>(size.options, random);
  std::vector<int64_t> source_lengths, target_lengths;
  for (int64_t i = 0; i < size.batch; ++i) {
    source_lengths.push_back(8 + 7 * i % size.lengths);
    target_lengths.push_back(8 + (5 * i + 3) % size.lengths);
  }
  const Bounds sources(source_lengths), targets(target_lengths);
  const int64_t vocab = size.options.vocab;
  const Packed source{random_tokens(sources.rows(), 3, vocab, random), sources};
  const Packed target{random_tokens(targets.rows(), 3, vocab, random), targets};
  const Tensor labels = random_tokens(targets.rows(), 3, vocab, random);
  Workload work{.model = model,
                .parameters = nn::parameters(*model),
                .optimizer = {},
                .loss = {},
                .batch = size.batch,
                .items = targets.rows()};
  work.optimizer = std::make_unique<optim::Adam>(
      work.parameters, optim::AdamOptions{.learning_rate = 1e-4, .betas = {0.9, 0.98}, .epsilon = 1e-9});
  work.loss = [=, &network = *model] {
    return cross_entropy(network(source, target), labels, {.label_smoothing = 0.1});
  };
  return work;
}

Workload gpt_char(uint64_t seed) {
  Random random(seed);
  constexpr int64_t kBatch = 12, kLength = 64, kVocab = 65;
  const nn::LanguageModelOptions options{
      .vocab = kVocab, .block = without_dropout(128, 4, 512), .layers = 4, .longest = kLength, .tie_embeddings = true};
  const auto model = std::make_shared<nn::LanguageModel>(options, random);
  const Packed tokens{random_tokens(kBatch * kLength, 0, kVocab, random), Bounds::uniform(kBatch, kLength)};
  const Tensor labels = random_tokens(kBatch * kLength, 0, kVocab, random);
  Workload work{.model = model,
                .parameters = nn::parameters(*model),
                .optimizer = {},
                .loss = {},
                .batch = kBatch,
                .items = kBatch * kLength};
  work.optimizer = std::make_unique<optim::AdamW>(work.parameters, optim::AdamWOptions{.learning_rate = 1e-4});
  work.loss = [=, &network = *model] { return cross_entropy(network(tokens), labels); };
  return work;
}

Workload vision(const nn::VisionTransformerOptions& options, int64_t batch, uint64_t seed) {
  Random random(seed);
  const auto model = std::make_shared<nn::VisionTransformer>(options, random);
  const Tensor images = random.normal({batch, options.image_height, options.image_width, options.channels}, 0, 1);
  const Tensor labels = random_tokens(batch, 0, options.classes, random);
  Workload work{.model = model,
                .parameters = nn::parameters(*model),
                .optimizer = {},
                .loss = {},
                .batch = batch,
                .items = batch};
  work.optimizer =
      std::make_unique<optim::AdamW>(work.parameters, optim::AdamWOptions{.learning_rate = 1e-3, .weight_decay = 0.05});
  work.loss = [=, &network = *model] { return cross_entropy(network(images), labels); };
  return work;
}

}  // namespace

std::vector<std::string> workload_names() {
  return {"translator", "translator-toy", "vit", "vit-all-tokens", "vit-toy", "gpt-char"};
}

Workload make_workload(const std::string& name, uint64_t seed) {
  if (name == "translator") {
    return translator({{.vocab = 8000, .block = {.width = 256, .heads = 4, .feed_forward = 1024}, .layers = 3}, 64, 17},
                      seed);
  }
  if (name == "translator-toy") {
    return translator({{.vocab = 200, .block = {.width = 64, .heads = 4, .feed_forward = 128}, .layers = 1}, 16, 9},
                      seed);
  }
  if (name == "vit")
    return vision({.block = without_dropout(192, 3, 768)}, 64, seed);  // 32 x 32 x 3 in patches of 4, 6 layers
  if (name == "vit-all-tokens") return vision({.block = without_dropout(192, 3, 768), .all_tokens = true}, 64, seed);
  if (name == "vit-toy") {
    return vision({.image_height = 28,
                   .image_width = 28,
                   .channels = 1,
                   .patch = 7,
                   .block = without_dropout(64, 4, 128),
                   .layers = 2},
                  32, seed);
  }
  if (name == "gpt-char") return gpt_char(seed);
  fail(fmt::format("bench: no model {}, expected one of {}", name, fmt::join(workload_names(), ", ")));
}

}  // namespace mixtape::bench

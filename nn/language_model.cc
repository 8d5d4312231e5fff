#include "nn/language_model.h"

namespace mixtape::nn {
namespace {

BlockOptions block_of(const LanguageModelOptions& options) {
  return {.width = options.width,
          .heads = options.heads,
          .feed_forward = options.feed_forward,
          .dropout = options.dropout,
          .attention_dropout = options.attention_dropout,
          .activation = options.activation,
          .pre_norm = options.pre_norm};
}

}  // namespace

LanguageModel::LanguageModel(const LanguageModelOptions& chosen, Random& random)
    : embedding(chosen.vocab, chosen.width, random),
      positions(chosen.longest, chosen.width, random),
      decoder(chosen.layers, block_of(chosen), random),
      options(chosen) {
  if (!options.tie_embeddings) output.emplace(chosen.width, chosen.vocab, random);
}

Tensor LanguageModel::forward(const Packed& tokens) const {
  const Tensor x = dropout(positions(embedding(tokens.values), tokens.bounds.positions()), options.dropout);
  return logits(decoder(x, Attend{.queries = tokens.bounds, .mask = causal()}));
}

Tensor LanguageModel::step(Decoding& decoding, const Tensor& tokens) const {
  return inside([&] {
    const int64_t rows = tokens.elements();
    const Tensor places = Tensor::full({rows, 1}, static_cast<double>(decoding.position++), i32);
    const Tensor x = positions(embedding(tokens.view({rows, 1})), places);
    return logits(reshape(decoder.step(x, decoding.caches), {rows, options.width}));
  });
}

}  // namespace mixtape::nn

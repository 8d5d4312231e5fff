#include "nn/language_model.h"

namespace mixtape::nn {

LanguageModel::LanguageModel(const LanguageModelOptions& chosen, Random& random)
    : embedding(chosen.vocab, chosen.block.width, random),
      positions(chosen.longest, chosen.block.width, random),
      decoder(chosen.layers, chosen.block, random),
      options(chosen) {
  if (!options.tie_embeddings) output.emplace(chosen.block.width, chosen.vocab, random);
}

Tensor LanguageModel::forward(const Packed& tokens) const {
  const Tensor x = dropout(positions(embedding(tokens.values), tokens.bounds.positions()), options.block.dropout);
  return logits(decoder(x, Attend{.queries = tokens.bounds, .mask = causal()}));
}

Tensor LanguageModel::step(Decoding& decoding, const Tensor& tokens) const {
  return inside([&] {
    const int64_t rows = tokens.elements();
    const Tensor places = Tensor::full({rows, 1}, static_cast<double>(decoding.position++), i32);
    const Tensor x = positions(embedding(tokens.view({rows, 1})), places);
    return logits(reshape(decoder.step(x, decoding.caches), {rows, options.block.width}));
  });
}

}  // namespace mixtape::nn

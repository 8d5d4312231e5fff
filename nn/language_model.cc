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

Decoding LanguageModel::start(int64_t sequences) const {
  return {.rows = sequences, .longest = options.longest, .layers = std::vector<LayerCache>(decoder.layer.size())};
}

Tensor LanguageModel::step(Decoding& decoding, const Tensor& tokens) const {
  return inside([&] {
    const Next next = advance(decoding, tokens);
    const Tensor x = positions(embedding(next.tokens), next.positions);
    return logits(reshape(decoder.step(x, decoding.layers), {decoding.rows, options.block.width}));
  });
}

}  // namespace mixtape::nn

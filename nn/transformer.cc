#include "nn/transformer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/tensors/error.h"

namespace mixtape::nn {

Transformer::Transformer(const TransformerOptions& chosen, Random& random)
    : embedding(chosen.vocab, chosen.block.width, random),
      positions(chosen.longest, chosen.block.width),
      encoder(chosen.layers, chosen.block, random),
      decoder(chosen.decoder_layers > 0 ? chosen.decoder_layers : chosen.layers, chosen.block, random),
      options(chosen) {
  if (!options.tie_embeddings) {
    target_embedding.emplace(chosen.vocab, chosen.block.width, random);
    output.emplace(chosen.block.width, chosen.vocab, random);
  }
}

Tensor Transformer::embed(const Embedding& table, const Tensor& tokens, const Tensor& places) const {
  const Tensor rows = table(tokens) * std::sqrt(static_cast<double>(options.block.width));
  return dropout(positions(rows, places), options.block.dropout);
}

Tensor Transformer::encode(const Packed& source) const {
  return inside([&] {
    const Tensor x = embed(embedding, source.values, source.bounds.positions());
    return encoder(x, Attend{.queries = source.bounds});
  });
}

Tensor Transformer::decode(const Tensor& memory, const Bounds& source, const Packed& target) const {
  return inside([&] {
    if (source.sequences() != target.bounds.sequences()) {
      fail(
          fmt::format("transformer: {} source and {} target sequences", source.sequences(), target.bounds.sequences()));
    }
    const Tensor x = embed(target_table(), target.values, target.bounds.positions());
    return decoder(x, memory, Attend{.queries = target.bounds, .mask = causal()},
                   Attend{.queries = target.bounds, .keys = source});
  });
}

Tensor Transformer::logits(const Tensor& x) const {
  return inside([&] { return output ? (*output)(x) : linear(x, embedding.weight); });
}

Decoding Transformer::start(const Packed& source, int64_t targets) const {
  return inside([&] {
    return Decoding{.rows = source.bounds.sequences() * targets,
                    .longest = options.longest,
                    .layers = decoder.start(encode(source)),
                    .source = source.bounds};
  });
}

Tensor Transformer::step(Decoding& decoding, const Tensor& tokens) const {
  return inside([&] {
    const Next next = advance(decoding, tokens);
    const Tensor x = embed(target_table(), next.tokens, next.positions);
    // The K targets of a source are K queries to it.
    const int64_t sources = decoding.source.sequences(), targets = decoding.rows / std::max<int64_t>(1, sources);
    const Attend across{.queries = Bounds::uniform(sources, targets), .keys = decoding.source};
    const Tensor y = decoder.step(x, decoding.layers, across);
    return logits(reshape(y, {decoding.rows, options.block.width}));
  });
}

}  // namespace mixtape::nn

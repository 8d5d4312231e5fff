#include "nn/transformer.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/error.h"

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

Transformer::Decoding Transformer::start(const Packed& source, int64_t hypotheses) const {
  return inside([&] {
    return Decoding{.caches = decoder.start(encode(source)), .source = source.bounds, .hypotheses = hypotheses};
  });
}

Tensor Transformer::step(Decoding& decoding, const Tensor& tokens) const {
  return inside([&] {
    const int64_t rows = tokens.elements();
    const Tensor places = Tensor::full({rows, 1}, static_cast<double>(decoding.position), i32);
    const Tensor x = embed(target_table(), tokens.view({rows, 1}), places);
    // The K hypotheses of a sentence are K queries to its source.
    const Attend across{.queries = Bounds::uniform(decoding.source.sequences(), decoding.hypotheses),
                        .keys = decoding.source};
    const Tensor y = decoder.step(x, decoding.caches, across);
    ++decoding.position;
    return logits(reshape(y, {rows, options.block.width}));
  });
}

void Transformer::reorder(Decoding& decoding, const Tensor& parents) {
  for (DecoderCache& cache : decoding.caches) {
    for (Tensor* kept : {&cache.self.keys, &cache.self.values}) {
      const Shape shape = kept->shape();
      *kept = mixtape::embedding(parents, kept->view({shape[0], shape.slice(1, 4).elements()})).view(shape);
    }
  }
}

}  // namespace mixtape::nn

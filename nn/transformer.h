#pragma once

#include <optional>
#include <vector>

#include "nn/decoder.h"
#include "nn/embedding.h"
#include "nn/positions.h"

namespace mixtape::nn {

struct TransformerOptions {
  int64_t vocab = 0;           ///< V, shared by source and target
  BlockOptions block = {};     ///< of every layer; `dropout` also applies to the embeddings
  int64_t layers = 3;          ///< of the encoder
  int64_t decoder_layers = 0;  ///< 0: as many as the encoder
  int64_t longest = 1024;      ///< positions of a sequence
  bool tie_embeddings = true;  ///< source, target and output share one table (Press & Wolf 2017)
};

/// An encoder-decoder model of a target sequence given a source sequence (Vaswani et al. 2017). Embeddings are scaled
/// by sqrt(C), where C is the width; positions are sinusoidal.
struct Transformer : Layer<Transformer>, AutoregressiveModel {
  Embedding embedding;                        ///< of source and target, if tied
  std::optional<Embedding> target_embedding;  ///< undefined if tied
  SinusoidalPositions positions;
  Encoder encoder;
  Decoder decoder;
  std::optional<Linear> output;  ///< C -> V; if tied, the embedding table is used
  TransformerOptions options;

  Transformer(const TransformerOptions& chosen, Random& random);

  /// The logits of every next token.   source, target: i32 [rows] packed, sequence by sequence  result: [target rows,
  /// V]
  Tensor forward(const Packed& source, const Packed& target) const {
    return logits(decode(encode(source), source.bounds, target));
  }

  /// The three steps of forward.
  Tensor encode(const Packed& source) const;                                              ///< [source rows, C]
  Tensor decode(const Tensor& memory, const Bounds& source, const Packed& target) const;  ///< [target rows, C]
  Tensor logits(const Tensor& x) const;                                                   ///< [..., C] -> [..., V]

  /// Encodes B sources, and starts to decode K targets of each, as B K rows.
  Decoding start(const Packed& source, int64_t targets = 1) const;
  Tensor step(Decoding& decoding, const Tensor& tokens) const override;

  void visit(auto&& each) const {
    each("embedding", embedding);
    each("target_embedding", target_embedding);
    each("positions", positions);
    each("encoder", encoder);
    each("decoder", decoder);
    each("output", output);
  }

 private:
  Tensor embed(const Embedding& table, const Tensor& tokens, const Tensor& places) const;
  const Embedding& target_table() const { return target_embedding ? *target_embedding : embedding; }
};

}  // namespace mixtape::nn

#pragma once

#include "nn/embedding.h"
#include "nn/encoder.h"
#include "nn/positions.h"

namespace mixtape::nn {

struct LanguageModelOptions {
  int64_t vocab = 0;        ///< V
  BlockOptions block = {};  ///< of every layer; `dropout` also applies to the embeddings. GPT-2 uses GELU
  int64_t layers = 4;
  int64_t longest = 256;        ///< positions of a sequence
  bool tie_embeddings = false;  ///< the output layer is the embedding table
};

/// Predicts the next token of a sequence from those before: causal self-attention layers and learned positions (Radford
/// et al. 2019). C is the width.
struct LanguageModel : Layer<LanguageModel>, AutoregressiveModel {
  Embedding embedding;
  LearnedPositions positions;
  Encoder decoder;
  std::optional<Linear> output;  ///< C -> V; not if tied
  LanguageModelOptions options;

  LanguageModel(const LanguageModelOptions& chosen, Random& random);

  /// The logits of every next token.   tokens: i32 [rows] packed  result: [rows, V]
  Tensor forward(const Packed& tokens) const;

  /// Starts to decode so many sequences.
  Decoding start(int64_t sequences = 1) const;
  Tensor step(Decoding& decoding, const Tensor& tokens) const override;

  void visit(auto&& each) const {
    each("embedding", embedding);
    each("positions", positions);
    each("decoder", decoder);
    each("output", output);
  }

 private:
  Tensor logits(const Tensor& x) const { return output ? (*output)(x) : linear(x, embedding.weight); }
};

}  // namespace mixtape::nn

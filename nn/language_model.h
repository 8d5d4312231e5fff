#pragma once

#include "nn/embedding.h"
#include "nn/encoder.h"
#include "nn/positions.h"

namespace mixtape::nn {

struct LanguageModelOptions {
  int64_t vocab = 0;        ///< V
  BlockOptions block = {};  ///< of every layer; its dropout is also on the embedding sums. GPT-2 has GELU
  int64_t layers = 4;
  int64_t longest = 256;        ///< positions a sequence may have
  bool tie_embeddings = false;  ///< the output layer is the embedding table
};

/// Predicts the next token of a sequence from those before: causal self-attention layers on learned positions (Radford
/// et al. 2019).
struct LanguageModel : Layer<LanguageModel>, AutoregressiveModel {
  Embedding embedding;
  LearnedPositions positions;
  Encoder decoder;
  std::optional<Linear> output;  ///< C -> V; not if tied
  LanguageModelOptions options;

  LanguageModel(const LanguageModelOptions& chosen, Random& random);

  /// Scores of every next token.   tokens: i32 [rows] packed  result: [rows, V]
  Tensor forward(const Packed& tokens) const;

  /// For so many sequences, which are decoded side by side.
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

#pragma once

#include <vector>

#include "nn/encoder.h"

namespace mixtape::nn {

/// Causal self-attention, cross-attention to the encoder's output (`memory`), and a feed-forward network, each with a
/// residual connection.   x, result: [rows, width] packed, or [B, T, width]
struct DecoderLayer : Layer<DecoderLayer> {
  LayerNorm attention_norm;
  MultiHeadAttention attention;
  std::optional<LayerScale> attention_scale;
  LayerNorm cross_norm;
  MultiHeadAttention cross;
  std::optional<LayerScale> cross_scale;
  LayerNorm feed_forward_norm;
  FeedForward feed_forward;
  std::optional<LayerScale> feed_forward_scale;
  BlockOptions options;

  DecoderLayer(const BlockOptions& chosen, Random& random);

  Tensor forward(const Tensor& x, const Tensor& memory, const Attend& self, const Attend& across) const;

  /// The next position of each sequence.   x, result: [B, 1, width]  across: which rows of the cached memory each
  /// sequence attends to
  Tensor step(const Tensor& x, LayerCache& cache, const Attend& across) const;

  /// A cache with the keys and values of `memory`, and no positions.
  LayerCache start(const Tensor& memory) const;

  void visit(auto&& each) const {
    each("attention_norm", attention_norm);
    each("attention", attention);
    each("attention_scale", attention_scale);
    each("cross_norm", cross_norm);
    each("cross", cross);
    each("cross_scale", cross_scale);
    each("feed_forward_norm", feed_forward_norm);
    each("feed_forward", feed_forward);
    each("feed_forward_scale", feed_forward_scale);
  }

 private:
  template <class Self, class Cross>
  Tensor sublayers(const Tensor& x, const Bounds& sequences, const Self& self_attention,
                   const Cross& cross_attention) const;
};

/// A stack of decoder layers, and a final norm if they are pre-norm.
struct Decoder : Layer<Decoder> {
  std::vector<DecoderLayer> layer;
  std::optional<LayerNorm> norm;

  Decoder(int64_t layers, const BlockOptions& options, Random& random);

  Tensor forward(const Tensor& x, const Tensor& memory, const Attend& self, const Attend& across) const;
  Tensor step(const Tensor& x, std::vector<LayerCache>& caches, const Attend& across) const;
  /// A cache for each layer.
  std::vector<LayerCache> start(const Tensor& memory) const;

  void visit(auto&& each) const {
    each("layer", layer);
    each("norm", norm);
  }
};

}  // namespace mixtape::nn

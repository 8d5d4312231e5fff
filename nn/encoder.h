#pragma once

#include <vector>

#include "nn/feed_forward.h"
#include "nn/layer_norm.h"
#include "nn/multi_head_attention.h"

namespace mixtape::nn {

/// What encoder and decoder layers are built from.
struct BlockOptions {
  int64_t width = 256;
  int64_t heads = 4;
  int64_t feed_forward = 0;        ///< hidden width; 0: four times the width
  double dropout = 0.1;            ///< on what each sublayer adds
  double attention_dropout = 0.1;  ///< on the attention weights
  double activation_dropout = 0;   ///< inside the feed-forward part
  Activation activation = Activation::relu;
  bool pre_norm = true;  ///< x + f(norm(x)) (Xiong et al. 2020); otherwise norm(x + f(x)) (Vaswani et al. 2017)

  int64_t hidden() const { return feed_forward > 0 ? feed_forward : 4 * width; }
  MultiHeadAttentionOptions attention() const { return {.width = width, .heads = heads, .dropout = attention_dropout}; }
};

/// x + dropout(f(norm(x))), or norm(x + dropout(f(x))).
template <class F>
Tensor residual(const Tensor& x, const LayerNorm& norm, const BlockOptions& options, const F& f) {
  if (options.pre_norm) return x + dropout(f(norm(x)), options.dropout);
  return norm(x + dropout(f(x), options.dropout));
}

/// Self-attention, then a feed-forward part, each with a residual connection. With a causal mask it is a layer of a
/// language model. x, result: [rows, width] packed, or [B, T, width]
struct EncoderLayer : Layer<EncoderLayer> {
  LayerNorm attention_norm;
  MultiHeadAttention attention;
  LayerNorm feed_forward_norm;
  FeedForward feed_forward;
  BlockOptions options;

  EncoderLayer(const BlockOptions& chosen, Random& random);

  Tensor forward(const Tensor& x, const Attend& attend) const;

  /// One more position of each sequence, given the keys and values of those before, to which it adds its own. For
  /// causal models. x: [B, 1, width]  cache: [B, t, H, D], undefined at first
  Tensor step(const Tensor& x, MultiHeadAttention::KeysValues& cache) const;

  void visit(auto&& each) const {
    each("attention_norm", attention_norm);
    each("attention", attention);
    each("feed_forward_norm", feed_forward_norm);
    each("feed_forward", feed_forward);
  }
};

/// Encoder layers one after the other, and a last norm if they are pre-norm.
struct Encoder : Layer<Encoder> {
  std::vector<EncoderLayer> layer;
  std::optional<LayerNorm> norm;

  Encoder(int64_t layers, const BlockOptions& options, Random& random);

  Tensor forward(const Tensor& x, const Attend& attend) const;
  /// See EncoderLayer::step; a cache for each layer.
  Tensor step(const Tensor& x, std::vector<MultiHeadAttention::KeysValues>& caches) const;

  void visit(auto&& each) const {
    each("layer", layer);
    each("norm", norm);
  }
};

}  // namespace mixtape::nn

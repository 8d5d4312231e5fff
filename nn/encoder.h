#pragma once

#include <vector>

#include "nn/feed_forward.h"
#include "nn/layer_norm.h"
#include "nn/layer_scale.h"
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
  bool pre_norm = true;         ///< x + f(norm(x)) (Xiong et al. 2020); otherwise norm(x + f(x)) (Vaswani et al. 2017)
  double stochastic_depth = 0;  ///< the probability that a sequence leaves out a sublayer; in a stack, that of the last
                                ///< layer, and layer i of n has i / n of it (Huang et al. 2016)
  double layer_scale = 0;       ///< a trained factor for each channel that a sublayer adds starts from this; 0: none

  int64_t hidden() const { return feed_forward > 0 ? feed_forward : 4 * width; }
  MultiHeadAttentionOptions attention() const { return {.width = width, .heads = heads, .dropout = attention_dropout}; }
  std::optional<LayerScale> scale() const {
    return layer_scale != 0 ? std::optional<LayerScale>(std::in_place, width, layer_scale) : std::nullopt;
  }
  /// These, for layer i (from 0) of a stack.
  BlockOptions of_layer(int64_t i, int64_t layers) const {
    BlockOptions result = *this;
    result.stochastic_depth *= static_cast<double>(i + 1) / static_cast<double>(layers);
    return result;
  }
};

/// The first row of each sequence, as `rows` of EncoderLayer::forward. Throws if a sequence is empty.
Packed first_rows(const Bounds& sequences);

/// x + add(norm(x)), or norm(x + add(x)), where add(z) = stochastic_depth(scale(dropout(f(z)))). `sequences` are those
/// of f's result, undefined if that is [B, T, width]. `rows`, if defined, are the rows of x that f gives results for:
/// i32, by number; then the result has only these.
template <class F>
Tensor residual(const Tensor& x, const LayerNorm& norm, const std::optional<LayerScale>& scale,
                const BlockOptions& options, const Bounds& sequences, const F& f, const Tensor& rows = {}) {
  const Tensor residue = rows ? embedding(rows, x) : x;
  const Tensor y = dropout(options.pre_norm ? f(norm(x)) : f(x), options.dropout);
  const Tensor sum = residue + stochastic_depth(scale ? (*scale)(y) : y, options.stochastic_depth, sequences);
  return options.pre_norm ? sum : norm(sum);
}

/// Self-attention, then a feed-forward part, each with a residual connection. With a causal mask it is a layer of a
/// language model. x, result: [rows, width] packed, or [B, T, width]
struct EncoderLayer : Layer<EncoderLayer> {
  LayerNorm attention_norm;
  MultiHeadAttention attention;
  std::optional<LayerScale> attention_scale;
  LayerNorm feed_forward_norm;
  FeedForward feed_forward;
  std::optional<LayerScale> feed_forward_scale;
  BlockOptions options;

  EncoderLayer(const BlockOptions& chosen, Random& random);

  /// `rows`, if given, are the rows of packed x whose results are wanted, and the others are not computed: `values` are
  /// their numbers in x, i32, sequence by sequence, and `bounds` tells the sequences apart. They attend to all rows of
  /// x. The result then is [rows, width]. Throws if the mask is causal or a window: such a mask takes queries for the
  /// last of their sequence.
  Tensor forward(const Tensor& x, const Attend& attend, const Packed& rows = {}) const;

  /// One more position of each sequence, of a causal model.   x, result: [B, 1, width]
  Tensor step(const Tensor& x, KeyValueCache& cache) const;

  void visit(auto&& each) const {
    each("attention_norm", attention_norm);
    each("attention", attention);
    each("attention_scale", attention_scale);
    each("feed_forward_norm", feed_forward_norm);
    each("feed_forward", feed_forward);
    each("feed_forward_scale", feed_forward_scale);
  }

 private:
  template <class F>
  Tensor both_parts(const Tensor& x, const Bounds& sequences, const F& self_attention, const Tensor& rows = {}) const;
};

/// Encoder layers one after the other, and a last norm if they are pre-norm.
struct Encoder : Layer<Encoder> {
  std::vector<EncoderLayer> layer;
  std::optional<LayerNorm> norm;

  Encoder(int64_t layers, const BlockOptions& options, Random& random);

  /// `rows`: see EncoderLayer. The layers before the last one compute all rows, as the last one attends to them.
  Tensor forward(const Tensor& x, const Attend& attend, const Packed& rows = {}) const;
  /// See EncoderLayer::step.   caches: one for each layer
  Tensor step(const Tensor& x, std::vector<LayerCache>& caches) const;

  void visit(auto&& each) const {
    each("layer", layer);
    each("norm", norm);
  }
};

}  // namespace mixtape::nn

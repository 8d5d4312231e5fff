#pragma once

#include <vector>

#include "nn/feed_forward.h"
#include "nn/layer_norm.h"
#include "nn/layer_scale.h"
#include "nn/multi_head_attention.h"

namespace mixtape::nn {

/// The options of an encoder or decoder layer. The defaults are the same in every model that has a `block`.
struct BlockOptions {
  int64_t width = 256;
  int64_t heads = 4;
  int64_t feed_forward = 0;        ///< hidden width; 0: four times the width
  double dropout = 0.1;            ///< on the output of each sublayer
  double attention_dropout = 0.1;  ///< on the attention weights
  double activation_dropout = 0;   ///< on the hidden layer of the feed-forward network
  Activation activation = Activation::relu;
  bool pre_norm = true;         ///< x + f(norm(x)) (Xiong et al. 2020); otherwise norm(x + f(x)) (Vaswani et al. 2017)
  double stochastic_depth = 0;  ///< probability that a sequence skips a sublayer (Huang et al. 2016); in a stack of n
                                ///< layers that of the last one, and layer i has i / n of it
  double layer_scale = 0;       ///< initial value of LayerScale on the output of each sublayer; 0: no LayerScale

  int64_t hidden() const { return feed_forward > 0 ? feed_forward : 4 * width; }
  MultiHeadAttentionOptions attention() const { return {.width = width, .heads = heads, .dropout = attention_dropout}; }
  std::optional<LayerScale> scale() const {
    return layer_scale != 0 ? std::optional<LayerScale>(std::in_place, width, layer_scale) : std::nullopt;
  }
  /// The options of layer i (from 0) of a stack.
  BlockOptions of_layer(int64_t i, int64_t layers) const {
    BlockOptions result = *this;
    result.stochastic_depth *= static_cast<double>(i + 1) / static_cast<double>(layers);
    return result;
  }
};

/// The first row of each sequence, as `rows` of EncoderLayer::forward. Throws if a sequence is empty.
Packed first_rows(const Bounds& sequences);

/// A sublayer f with its residual connection: x + add(norm(x)) if pre-norm, otherwise norm(x + add(x)), where add(z) =
/// stochastic_depth(scale(dropout(f(z)))). `sequences` are the bounds of f's result, undefined if it is [B, T, width].
/// `rows`, if defined, are the indices, i32, of the rows of x that f computes; the result then has these rows only.
template <class F>
Tensor residual(const Tensor& x, const LayerNorm& norm, const std::optional<LayerScale>& scale,
                const BlockOptions& options, const Bounds& sequences, const F& f, const Tensor& rows = {}) {
  const auto add = [&](const Tensor& z) {
    const Tensor y = dropout(f(z), options.dropout);
    return stochastic_depth(scale ? (*scale)(y) : y, options.stochastic_depth, sequences);
  };
  const Tensor skip = rows ? embedding(rows, x) : x;
  if (options.pre_norm) return skip + add(norm(x));
  return norm(skip + add(x));
}

/// Self-attention, then a feed-forward network, each with a residual connection. With a causal mask it is a layer of a
/// language model.   x, result: [rows, width] packed, or [B, T, width]
struct EncoderLayer : Layer<EncoderLayer> {
  LayerNorm attention_norm;
  MultiHeadAttention attention;
  std::optional<LayerScale> attention_scale;
  LayerNorm feed_forward_norm;
  FeedForward feed_forward;
  std::optional<LayerScale> feed_forward_scale;
  BlockOptions options;

  EncoderLayer(const BlockOptions& chosen, Random& random);

  /// `rows`, if given, selects the rows of packed x whose results are wanted; the others serve as keys and values only.
  /// Its `values` are indices into x, i32, sequence by sequence, and its `bounds` delimit the sequences. The result
  /// then is [selected rows, width]. Throws if the mask is causal or a window, which depend on a query's position.
  Tensor forward(const Tensor& x, const Attend& attend, const Packed& rows = {}) const;

  /// The next position of each sequence, for causal models.   x, result: [B, 1, width]
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
  Tensor sublayers(const Tensor& x, const Bounds& sequences, const F& self_attention, const Tensor& rows = {}) const;
};

/// A stack of encoder layers, and a final norm if they are pre-norm.
struct Encoder : Layer<Encoder> {
  std::vector<EncoderLayer> layer;
  std::optional<LayerNorm> norm;

  Encoder(int64_t layers, const BlockOptions& options, Random& random);

  /// `rows`: see EncoderLayer. All layers but the last compute every row, since the last attends to all of them.
  Tensor forward(const Tensor& x, const Attend& attend, const Packed& rows = {}) const;
  /// See EncoderLayer::step.   caches: one for each layer
  Tensor step(const Tensor& x, std::vector<LayerCache>& caches) const;

  void visit(auto&& each) const {
    each("layer", layer);
    each("norm", norm);
  }
};

}  // namespace mixtape::nn

#pragma once

#include "autograd/ops/packed.h"
#include "nn/linear.h"

namespace mixtape::nn {

struct LinearAttentionOptions {
  int64_t width = 0;  ///< C, of inputs and results; a multiple of heads
  int64_t heads = 1;  ///< H
  bool causal = false;
};

/// Self-attention with a product of feature maps in place of the softmax, so that keys and values can be summed first:
/// time and memory are linear in the length (Katharopoulos et al. 2020, "Transformers are RNNs").
///
///     o_i = sum_j f(q_i) . f(k_j) v_j / sum_j f(q_i) . f(k_j) = f(q_i) S / (f(q_i) . z)
///     S = sum_j f(k_j)' v_j,  z = sum_j f(k_j),  f(x) = elu(x) + 1, element by element
///
/// over all j, or, if causal, over j <= i: S and z are then accumulated chunk by chunk.
/// x: [rows, C] packed, or [B, T, C]
struct LinearAttention : Layer<LinearAttention> {
  Linear query, key, value, output;  ///< C -> C
  LinearAttentionOptions options;

  LinearAttention(LinearAttentionOptions chosen, Random& random);

  /// `bounds` are those of packed rows, and undefined for [B, T, C].
  Tensor forward(const Tensor& x, const Bounds& bounds = {}) const;

  void visit(auto&& each) const {
    each("query", query);
    each("key", key);
    each("value", value);
    each("output", output);
  }
};

}  // namespace mixtape::nn

#pragma once

#include <vector>

#include "autograd/ops/mask.h"
#include "autograd/ops/packed.h"
#include "nn/decoding.h"
#include "nn/linear.h"

namespace mixtape::nn {

/// Which queries attend to which keys: the bounds of packed queries and keys (undefined for [B, T, C]), and a mask.
struct Attend {
  Bounds queries = {};
  Bounds keys = {};
  Mask mask = {};
};

struct MultiHeadAttentionOptions {
  int64_t width = 0;   ///< C, of queries, keys, values and results; a multiple of heads
  int64_t heads = 1;   ///< H
  double dropout = 0;  ///< on the attention weights
};

/// H attention heads on D = C / H columns each, whose results are concatenated and projected by `output` (Vaswani et
/// al. 2017).   x: [rows, C] packed, or [B, T, C]
struct MultiHeadAttention : Layer<MultiHeadAttention> {
  Linear query, key, value, output;  ///< C -> C
  MultiHeadAttentionOptions options;

  MultiHeadAttention(MultiHeadAttentionOptions chosen, Random& random);

  /// Self-attention: x attends to itself. `attend.keys` is ignored.
  Tensor forward(const Tensor& x, const Attend& attend = {}) const;
  /// Cross-attention: x attends to memory.
  Tensor forward(const Tensor& x, const Tensor& memory, const Attend& attend) const;

  /// The same, and the attention weights before dropout. They are on the tape, so they have gradients.
  struct WithWeights {
    Tensor output;
    Tensor weights;  ///< [B, H, Tq, Tk], padded with zeros
  };
  WithWeights with_weights(const Tensor& x, const Tensor& memory, const Attend& attend = {}) const;

  /// The keys and values of `memory`, for decoding with a cache.
  KeysValues project(const Tensor& memory) const;
  /// Attention of x to projected keys and values.
  Tensor attend_to(const Tensor& x, const KeysValues& memory, const Attend& attend) const;
  /// Self-attention of the next position of each sequence to itself and those before. Its key and value are appended to
  /// `cache`.   x, result: [B, 1, C]
  Tensor step(const Tensor& x, KeyValueCache& cache) const;

  void visit(auto&& each) const {
    each("query", query);
    each("key", key);
    each("value", value);
    each("output", output);
  }

 private:
  Tensor by_heads(const Tensor& x) const;
  Tensor mix(const Tensor& x, const KeysValues& memory, const Attend& attend) const;
};

/// While it exists, collects the attention weights of every MultiHeadAttention that runs on this thread. These layers
/// then compute with the composed ops, so that the weights are those actually used, and have gradients.
class AttentionRecorder {
 public:
  struct Entry {
    std::string path;
    Tensor weights;  ///< [B, H, Tq, Tk]
  };
  AttentionRecorder();
  ~AttentionRecorder();
  AttentionRecorder(const AttentionRecorder&) = delete;
  AttentionRecorder& operator=(const AttentionRecorder&) = delete;

  const std::vector<Entry>& entries() const { return entries_; }
  /// True if a recorder exists on this thread.
  static bool active();

 private:
  friend struct MultiHeadAttention;
  std::vector<Entry> entries_;
  AttentionRecorder* outer_;
};

}  // namespace mixtape::nn

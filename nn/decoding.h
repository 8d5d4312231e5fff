#pragma once

#include <cstdint>
#include <vector>

#include "autograd/ops/packed.h"
#include "autograd/tensors/tensor.h"

/// Autoregressive decoding, token by token. Attention reads the keys and values of earlier positions from caches.
namespace mixtape::nn {

/// Keys and values of an attention layer, by head.
struct KeysValues {
  Tensor keys, values;  ///< [..., H, D]
};

/// The keys and values of a self-attention layer for all positions so far.
class KeyValueCache {
 public:
  /// Appends those of the next position, [B, 1, H, D], and returns all().
  const KeysValues& append(const KeysValues& position);
  /// [B, t, H, D] after t positions; undefined before the first.
  const KeysValues& all() const { return all_; }
  /// Sequence i continues the former sequence parents[i].   parents: i32 [B]
  void reorder(const Tensor& parents);

 private:
  KeysValues all_;
};

/// The caches of one layer of a model.
struct LayerCache {
  KeyValueCache self = {};  ///< of self-attention
  KeysValues memory = {};   ///< of the encoder's output, [source rows, H, D]; undefined without an encoder
};

/// The state of decoding, with one row for each sequence that is generated. Made by a model's start(). Copies are
/// independent.
struct Decoding {
  int64_t rows = 0;
  int64_t position = 0;  ///< tokens consumed so far, by each row
  int64_t longest = 0;   ///< positions the model has
  std::vector<LayerCache> layers = {};
  Bounds source = {};  ///< of the encoded sources, which have equally many rows each; undefined without an encoder

  /// Row i continues the former row parents[i], which must have the same source.   parents: i32 [rows]
  void reorder(const Tensor& parents);
};

/// A model that predicts each token from those before it. beam_search and sample work with any such model.
class AutoregressiveModel {
 public:
  virtual ~AutoregressiveModel() = default;

  /// Consumes the next token of each row and returns the logits of the one after it.   tokens: i32 [rows]  result:
  /// [rows, V]. Throws if there is not one token per row, or no position is left.
  virtual Tensor step(Decoding& decoding, const Tensor& tokens) const = 0;

 protected:
  struct Next {
    Tensor tokens, positions;  ///< i32 [rows, 1]
  };
  /// Moves on to the next position. Throws as step() does.
  static Next advance(Decoding& decoding, const Tensor& tokens);
};

}  // namespace mixtape::nn

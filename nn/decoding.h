#pragma once

#include <cstdint>
#include <vector>

#include "autograd/packed.h"
#include "autograd/tensor.h"

/// Producing tokens one after the other: each step takes in one more position and reads from caches what attention
/// needs of those before.
namespace mixtape::nn {

/// Keys and values of an attention layer, split into heads.
struct KeysValues {
  Tensor keys, values;  ///< [..., H, D]
};

/// The keys and values of all positions so far of a self-attention layer.
class KeyValueCache {
 public:
  /// Adds those of one more position, [B, 1, H, D], and returns all().
  const KeysValues& append(const KeysValues& position);
  /// [B, t, H, D] after t positions, undefined at first.
  const KeysValues& all() const { return all_; }
  /// Sequence i continues what was sequence parents[i].   parents: i32 [B]
  void reorder(const Tensor& parents);

 private:
  KeysValues all_;
};

/// The caches of one layer of a model.
struct LayerCache {
  KeyValueCache self = {};  ///< of self-attention
  KeysValues memory = {};   ///< of the encoder's result, [source rows, H, D]; undefined if there is no encoder
};

/// The state of a model that decodes: one row for each sequence it produces. Made by the model's start(). A copy is
/// independent of the original.
struct Decoding {
  int64_t rows = 0;
  int64_t position = 0;  ///< tokens taken in so far, in each row
  int64_t longest = 0;   ///< tokens that a row may take in: the model's positions
  std::vector<LayerCache> layers = {};
  Bounds source = {};  ///< of the encoded sequences, each of which has equally many rows; undefined if there are none

  /// Row i continues what was row parents[i], which must belong to the same source.   parents: i32 [rows]
  void reorder(const Tensor& parents);
};

/// A model that predicts each token from those before it: what beam_search and sample work with.
class AutoregressiveModel {
 public:
  virtual ~AutoregressiveModel() = default;

  /// Takes in one more token for each row, and returns the scores of the one after it.   tokens: i32 [rows]  result:
  /// [rows, V]. Throws if the number of tokens differs from the rows, or no position is left.
  virtual Tensor step(Decoding& decoding, const Tensor& tokens) const = 0;

 protected:
  /// The tokens as [rows, 1], and their positions, [rows, 1]; counts the position. Throws as step does.
  struct Next {
    Tensor tokens, positions;
  };
  static Next advance(Decoding& decoding, const Tensor& tokens);
};

}  // namespace mixtape::nn

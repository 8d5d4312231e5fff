#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/tensor.h"

namespace mixtape::attention_lab {

/// Tensors by name: X, Wq, dQ ... A name that is not there stands for a tensor that the layer does not have.
using Matrices = std::map<std::string, Tensor, std::less<>>;

/// The tensor of that name, or an undefined one.
Tensor find(const Matrices& matrices, std::string_view name);

/// One attention layer with all that goes into it, in f64. T tokens of width C; H heads of width D.
struct AttentionLayer {
  /// - X [Tq, C]: the tokens that ask.
  /// - memory [Tk, C]: the tokens that are asked, in cross-attention; otherwise left out: they are X.
  /// - Wq, Wk, Wv [H D, C] and bq, bk, bv [H D].
  /// - Wo [C, H D] and bo [C]; left out where the heads' results are the result.
  /// - G, of the result's shape: the gradient that arrives from above.
  Matrices given;
  Tensor mask;  ///< i32 [Tq, Tk], 1 where a query sees a key. Each query sees at least one.
  int64_t heads = 1;
  double scale = 1;  ///< of the scores, 1 / sqrt(D) as a rule

  int64_t queries() const { return mask.size(0); }
  int64_t keys() const { return mask.size(1); }
  bool is_cross() const { return given.contains("memory"); }
  bool hides() const;  ///< whether the mask hides anything
};

/// Is shown each tensor of the layer by name, just given or computed; what it returns takes the tensor's place.
using OnTensor = std::function<Tensor(const std::string& name, const Tensor& value)>;

/// Computes the layer, every step an op of its own, and returns L = sum(Y * G), whose gradients are those of the model
/// that G came from. `on_tensor` sees, in this order:
/// - what was given, and X_query, X_key, X_value: X (or memory) on its three ways;
/// - Q, K, V [T, H D]; Q_heads, K_heads, V_heads [H, T, D];
/// - product = Q K' and S = scale product [H, Tq, Tk]; masked, where the mask hides anything: S with -infinity there;
/// - A = softmax(S) [H, Tq, Tk]; O = A V [H, Tq, D]; joined [Tq, H D]; Y; L.
Tensor run(const AttentionLayer& layer, const OnTensor& on_tensor);

/// The layer cut down to one of its heads: Y is then what this head adds to the result.
AttentionLayer only_head(const AttentionLayer& layer, int64_t head);

}  // namespace mixtape::attention_lab

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/tensors/tensor.h"

namespace mixtape::attention_lab {

/// Tensors by name: X, Wq, dQ ... A missing name is a tensor that the layer does not have.
using Matrices = std::map<std::string, Tensor, std::less<>>;

/// The tensor of that name, or an undefined one.
Tensor find(const Matrices& matrices, std::string_view name);

/// One attention layer with all its inputs, in f64. T tokens of width C; H heads of width D.
struct AttentionLayer {
  /// - X [Tq, C]: the tokens of the queries.
  /// - memory [Tk, C]: in cross-attention, the tokens of keys and values; otherwise missing: they are X.
  /// - Wq, Wk, Wv [H D, C] and bq, bk, bv [H D].
  /// - Wo [C, H D] and bo [C]; missing if the results of the heads are the result.
  /// - G, of the shape of the result: its gradient.
  Matrices given;
  Tensor mask;  ///< i32 [Tq, Tk], 1 where a query sees a key. Each query sees at least one.
  int64_t heads = 1;
  double scale = 1;  ///< of the scores, usually 1 / sqrt(D)

  int64_t queries() const { return mask.size(0); }
  int64_t keys() const { return mask.size(1); }
  bool is_cross() const { return given.contains("memory"); }
  bool hides() const;  ///< whether the mask hides anything
};

/// Called with the name of each tensor of the layer, input or result; what it returns replaces the tensor.
using OnTensor = std::function<Tensor(const std::string& name, const Tensor& value)>;

/// Computes the layer, one op per step, and returns L = sum(Y * G), whose gradients are those of the model that G comes
/// from. `on_tensor` sees, in this order:
/// - the inputs, and X_query, X_key, X_value: the three uses of X (or memory);
/// - Q, K, V [T, H D]; Q_heads, K_heads, V_heads [H, T, D];
/// - product = Q K' and S = scale product [H, Tq, Tk]; masked, if the mask hides anything: S with -infinity there;
/// - A = softmax(S) [H, Tq, Tk]; O = A V [H, Tq, D]; joined [Tq, H D]; Y; L.
Tensor run(const AttentionLayer& layer, const OnTensor& on_tensor);

/// The layer with only one of its heads: Y is then the contribution of this head.
AttentionLayer only_head(const AttentionLayer& layer, int64_t head);

}  // namespace mixtape::attention_lab

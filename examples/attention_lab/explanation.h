#pragma once

#include <string>
#include <string_view>

#include "examples/attention_lab/layer.h"

namespace mixtape::attention_lab {

/// What is to be said about one tensor of the layer, or one gradient.
struct Explanation {
  std::string formula;  ///< `A = softmax(S), row by row`
  std::string rule;     ///< of a result: what backward makes of it; of a gradient: why it is so, in words
};

/// Of a tensor that `run` shows, or of the gradient dZ of one. Empty for other names.
Explanation explain(const AttentionLayer& layer, std::string_view name);

/// The general rule of an op of the tape: `Y = A B: dA = dY B', dB = A' dY`. Empty for ops that the layer does not use.
std::string rule_of_op(std::string_view op);

}  // namespace mixtape::attention_lab

#pragma once

#include <string>
#include <string_view>

#include "examples/attention_lab/layer.h"

namespace mixtape::attention_lab {

/// The explanation of one tensor of the layer, or one gradient.
struct Explanation {
  std::string formula;  ///< `A = softmax(S), row by row`
  std::string rule;     ///< for a result: its backward rule; for a gradient: the reason, in words
};

/// For a tensor that `run` passes to its observer, or its gradient dZ. Empty for other names.
Explanation explain(const AttentionLayer& layer, std::string_view name);

/// The general rule of an op of the tape: `Y = A B: dA = dY B', dB = A' dY`. Empty for ops that the layer does not use.
std::string rule_of_op(std::string_view op);

}  // namespace mixtape::attention_lab

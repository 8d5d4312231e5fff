#pragma once

#include <string>
#include <vector>

#include "autograd/tape.h"
#include "autograd/tape_listing.h"
#include "examples/attention_lab/layer.h"

namespace mixtape::attention_lab {

/// A line of the tape that recorded the layer, and what it means there.
struct TapeLine {
  LineView view;
  std::vector<std::string> inputs, keeps;  ///< by the layer's names, `%12` if they have none, `constant`
  std::string formula, rule;
  std::vector<std::string> matrices;  ///< the tensors and gradients of the layer that it works on
};

/// The forward pass line by line, then the backward pass, which was recorded as further lines.
std::vector<TapeLine> tape_lines(const AttentionLayer& layer);

}  // namespace mixtape::attention_lab

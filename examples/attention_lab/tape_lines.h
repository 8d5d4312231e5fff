#pragma once

#include <string>
#include <vector>

#include "autograd/tape/tape.h"
#include "autograd/tape/tape_listing.h"
#include "examples/attention_lab/layer.h"

namespace mixtape::attention_lab {

/// A line of the tape on which the layer was recorded, and its meaning.
struct TapeLine {
  LineView view;
  std::vector<std::string> inputs, saved;  ///< names in the layer, `%12` if they have none, `constant`
  std::string formula, rule;
  std::vector<std::string> matrices;  ///< the tensors and gradients of the layer that it computes
};

/// The forward pass line by line, then the backward pass, recorded as further lines.
std::vector<TapeLine> tape_lines(const AttentionLayer& layer);

}  // namespace mixtape::attention_lab

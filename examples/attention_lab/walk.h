#pragma once

#include <string>
#include <vector>

#include "examples/attention_lab/study.h"

namespace mixtape::attention_lab {

/// One page of the walk: a title line and its text.
struct WalkStep {
  std::string title, text;
};

/// Every step of the layer, forward and backward, for the chosen head and query: tape line, formula, shape, numbers and
/// rule, with the numeric derivative next to each gradient; then the tape, tiled attention and the Hessian-vector
/// product.
std::vector<WalkStep> walk_steps(const Study& study);

/// Prints them: one by one on a terminal (n forward, p back, q quit), all at once elsewhere.
void walk(const Study& study);

}  // namespace mixtape::attention_lab

#pragma once

#include <string>

#include "examples/vit/inference.h"

namespace mixtape::vit {

/// Writes the figures of this example's README into an existing folder: `patches.svg`, `tokens.svg` and
/// `attention.svg`, of drawn digits and a model trained on them. Throws if the model is for other images.
void write_figures(const Classifier& classifier, const std::string& folder);

}  // namespace mixtape::vit

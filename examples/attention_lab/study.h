#pragma once

#include "examples/attention_lab/derivatives.h"
#include "examples/attention_lab/preset.h"
#include "examples/attention_lab/tape_lines.h"
#include "examples/attention_lab/tiled.h"

namespace mixtape::attention_lab {

/// Everything that the lab computes for a preset, for the walk and the page.
struct Study {
  Preset preset;
  Matrices forward, backward, numeric;
  ErrorCurve curve;
  std::vector<TapeLine> tape;
  HessianProduct hessian;
  Tiled tiled;
};

Study study(const Preset& preset);

/// The largest |analytic - numeric| of one gradient, or of all.
double largest_difference(const Tensor& analytic, const Tensor& numeric);
double largest_difference(const Study& study);

}  // namespace mixtape::attention_lab

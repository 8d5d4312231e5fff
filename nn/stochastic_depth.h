#pragma once

#include "autograd/ops.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// Under a training tape, zeroes whole sequences with probability p and scales the others by 1 / (1 - p): if x is the
/// output of a residual branch, those sequences skip the branch (Huang et al. 2016). Otherwise the identity.   x:
/// packed [rows, ...] with the bounds of its sequences, or [B, ...], one sequence each
struct StochasticDepth : Layer<StochasticDepth> {
  double p;

  explicit StochasticDepth(double probability) : p(probability) {}

  Tensor forward(const Tensor& x, const Bounds& bounds = {}) const { return stochastic_depth(x, p, bounds); }
  void visit(auto&&) const {}
};

}  // namespace mixtape::nn

#pragma once

#include "autograd/ops.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// Under a training tape, makes all of a sequence 0 with probability p and scales the others by 1 / (1 - p): where x is
/// what a block adds, the block is left out for that sequence (Huang et al. 2016). Elsewhere it passes x through.   x:
/// packed [rows, ...] with the bounds of its sequences, or [B, ...], where each b is one
struct StochasticDepth : Layer<StochasticDepth> {
  double p;

  explicit StochasticDepth(double probability) : p(probability) {}

  Tensor forward(const Tensor& x, const Bounds& bounds = {}) const { return stochastic_depth(x, p, bounds); }
  void visit(auto&&) const {}
};

}  // namespace mixtape::nn

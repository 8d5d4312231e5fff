#pragma once

#include "autograd/ops.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// Zeroes each element with probability p and scales the rest by 1 / (1 - p), under a training tape only.
struct Dropout : Layer<Dropout> {
  double p;

  explicit Dropout(double probability) : p(probability) {}

  Tensor forward(const Tensor& x) const { return dropout(x, p); }
  void visit(auto&&) const {}
};

}  // namespace mixtape::nn

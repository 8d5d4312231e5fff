#pragma once

#include "autograd/ops.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// The maximum of each channel over each window.   x: [B, H, W, C]  result: [B, H', W', C]
struct MaxPool2d : Layer<MaxPool2d> {
  PoolOptions options;

  explicit MaxPool2d(const PoolOptions& chosen = {}) : options(chosen) {}

  Tensor forward(const Tensor& x) const { return max_pool2d(x, options); }
  void visit(auto&&) const {}
};

}  // namespace mixtape::nn

#pragma once

#include "autograd/ops.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// The mean of each channel over each window, of the pixels inside the image.   x: [B, H, W, C]  result: [B,
/// H', W', C]
struct AveragePool2d : Layer<AveragePool2d> {
  PoolOptions options;

  explicit AveragePool2d(const PoolOptions& chosen = {}) : options(chosen) {}

  Tensor forward(const Tensor& x) const { return average_pool2d(x, options); }
  void visit(auto&&) const {}
};

}  // namespace mixtape::nn

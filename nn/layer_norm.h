#pragma once

#include "autograd/ops.h"
#include "nn/init.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// (x - mean) / sqrt(variance + epsilon) * weight + bias over the last axis (Ba et al. 2016).   x, result: [..., width]
struct LayerNorm : Layer<LayerNorm> {
  Tensor weight;  ///< [width], 1 initially
  Tensor bias;    ///< [width], 0 initially
  double epsilon;

  explicit LayerNorm(int64_t width, double eps = 1e-5)
      : weight(ones_parameter({width})), bias(zeros_parameter({width})), epsilon(eps) {}

  Tensor forward(const Tensor& x) const { return layer_norm(x, weight, bias, epsilon); }
  void visit(auto&& each) const {
    each("weight", weight);
    each("bias", bias);
  }
};

}  // namespace mixtape::nn

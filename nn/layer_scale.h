#pragma once

#include "autograd/ops.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// x times a trained factor for each channel, small at first, so that a deep model starts close to the identity
/// (Touvron et al. 2021, "Going deeper with image transformers").   x, result: [..., width]
struct LayerScale : Layer<LayerScale> {
  Tensor weight;  ///< [width], `initial` at first

  LayerScale(int64_t width, double initial) : weight(Tensor::full({width}, initial).as_parameter()) {}

  Tensor forward(const Tensor& x) const { return x * weight; }
  void visit(auto&& each) const { each("weight", weight); }
};

}  // namespace mixtape::nn

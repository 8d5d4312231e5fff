#pragma once

#include "autograd/ops.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// x times a trained factor for each channel. Small initial factors make a deep model start close to the identity
/// (Touvron et al. 2021, "Going deeper with image transformers").   x, result: [..., width]
struct LayerScale : Layer<LayerScale> {
  Tensor weight;  ///< [width], `initial` initially

  LayerScale(int64_t width, double initial) : weight(Tensor::full({width}, initial).as_parameter()) {}

  Tensor forward(const Tensor& x) const { return x * weight; }
  void visit(auto&& each) const { each("weight", weight); }
};

}  // namespace mixtape::nn

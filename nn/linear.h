#pragma once

#include "autograd/ops.h"
#include "nn/init.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// y = x W' + b.   x: [..., in]  y: [..., out]
struct Linear : Layer<Linear> {
  Tensor weight;  ///< [out, in], Xavier-uniform at first
  Tensor bias;    ///< [out], 0 at first

  Linear(int64_t in, int64_t out, Random& random)
      : weight(xavier_uniform(out, in, random)), bias(zeros_parameter({out})) {}

  Tensor forward(const Tensor& x) const { return linear(x, weight, bias); }
  void visit(auto&& each) const {
    each("weight", weight);
    each("bias", bias);
  }
};

}  // namespace mixtape::nn

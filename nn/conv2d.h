#pragma once

#include <cmath>

#include "autograd/ops.h"
#include "nn/init.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// 2-d convolution with kernels of size x size pixels, and a bias.   x: [B, H, W, in]  result: [B, H',
/// W', out], H' = (H + 2 padding - size) / stride + 1
struct Conv2d : Layer<Conv2d> {
  Tensor weight;  ///< [out, size, size, in], normal with standard deviation sqrt(2 / (size size in)) initially (He et
                  ///< al. 2015)
  Tensor bias;    ///< [out], 0 initially
  Conv2dOptions options;

  Conv2d(int64_t in, int64_t out, int64_t size, const Conv2dOptions& chosen, Random& random)
      : weight(normal_parameter({out, size, size, in}, std::sqrt(2 / static_cast<double>(size * size * in)), random)),
        bias(zeros_parameter({out})),
        options(chosen) {}

  Tensor forward(const Tensor& x) const { return conv2d(x, weight, bias, options); }
  void visit(auto&& each) const {
    each("weight", weight);
    each("bias", bias);
  }
};

}  // namespace mixtape::nn

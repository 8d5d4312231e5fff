#pragma once

#include "nn/linear.h"

namespace mixtape::nn {

/// y = gelu(x W' + b) * (x V' + c) (Shazeer 2020).   x: [..., in]  y: [..., out]
struct GatedLinear : Layer<GatedLinear> {
  Linear gate, value;

  GatedLinear(int64_t in, int64_t out, Random& random) : gate(in, out, random), value(in, out, random) {}

  Tensor forward(const Tensor& x) const { return gelu(gate(x)) * value(x); }
  void visit(auto&& each) const {
    each("gate", gate);
    each("value", value);
  }
};

}  // namespace mixtape::nn

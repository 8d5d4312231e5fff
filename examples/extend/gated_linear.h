#pragma once

#include "nn/linear.h"

namespace mixtape::extend {

/// y = gelu(x W' + b) * (x V' + c) (Shazeer 2020, "GLU Variants Improve Transformer").   x: [..., in]  y: [..., out]
struct GatedLinear : nn::Layer<GatedLinear> {
  nn::Linear gate, value;

  GatedLinear(int64_t in, int64_t out, Random& random) : gate(in, out, random), value(in, out, random) {}

  Tensor forward(const Tensor& x) const { return gelu(gate(x)) * value(x); }
  void visit(auto&& each) const {
    each("gate", gate);
    each("value", value);
  }
};

}  // namespace mixtape::extend

#pragma once

#include "autograd/ops.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// exp(x) / sum(exp(x)) over the last axis.
struct Softmax : Layer<Softmax> {
  Tensor forward(const Tensor& x) const { return softmax(x); }
  void visit(auto&&) const {}
};

}  // namespace mixtape::nn

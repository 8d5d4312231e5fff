#pragma once

#include "nn/linear.h"

namespace mixtape::nn {

using mixtape::Activation;

/// down(dropout(activation(up(x)))), position by position.   x, result: [..., width]
struct FeedForward : Layer<FeedForward> {
  Linear up;    ///< width -> hidden
  Linear down;  ///< hidden -> width
  Activation activation;
  double dropout;

  FeedForward(int64_t width, int64_t hidden, Activation function, double drop, Random& random)
      : up(width, hidden, random), down(hidden, width, random), activation(function), dropout(drop) {}

  Tensor forward(const Tensor& x) const {
    const Tensor hidden = activate(up(x), activation);
    return down(mixtape::dropout(hidden, dropout));
  }
  void visit(auto&& each) const {
    each("up", up);
    each("down", down);
  }
};

}  // namespace mixtape::nn

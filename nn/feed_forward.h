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

  Tensor forward(Tensor x) const {
    x = up(x);  // what came in is a norm's result, as a rule, which nobody else holds
    if (dropout == 0) return down.of(activation, std::move(x));
    x = activate(std::move(x), activation);
    return down(mixtape::dropout(x, dropout));
  }
  void visit(auto&& each) const {
    each("up", up);
    each("down", down);
  }
};

}  // namespace mixtape::nn

#pragma once

#include "nn/linear.h"

namespace mixtape::nn {

enum class Activation { relu, gelu, gelu_tanh };

/// The activation as an op.
inline Tensor activate(Tensor x, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return relu(x);
    case Activation::gelu:
      return gelu(std::move(x));
    default:
      return gelu_tanh(std::move(x));
  }
}

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
    x = activate(std::move(x), activation);
    return down(mixtape::dropout(x, dropout));
  }
  void visit(auto&& each) const {
    each("up", up);
    each("down", down);
  }
};

}  // namespace mixtape::nn

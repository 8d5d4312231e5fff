#pragma once

#include <cmath>

#include "autograd/ops.h"
#include "nn/init.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// Rows of a learned table.   tokens: i32 [...]  result: [..., width]
struct Embedding : Layer<Embedding> {
  Tensor weight;  ///< [vocab, width], normal with standard deviation 1 / sqrt(width) initially

  Embedding(int64_t vocab, int64_t width, Random& random)
      : weight(normal_parameter({vocab, width}, 1 / std::sqrt(static_cast<double>(width)), random)) {}

  Tensor forward(const Tensor& tokens) const { return embedding(tokens, weight); }
  void visit(auto&& each) const { each("weight", weight); }
};

}  // namespace mixtape::nn

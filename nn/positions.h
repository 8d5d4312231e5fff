#pragma once

#include "autograd/ops.h"
#include "nn/init.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// Adds to each row the sines and cosines of its position t: element 2i gets sin(t / 10000^(2i / width)), element 2i +
/// 1 the cosine (Vaswani et al. 2017). It has no parameters.   x: [..., width]  positions: i32, of x's axes before
/// `width` the last ones, each below `longest`: [T] is shared by all sequences of x [B, T, width]. Throws if the shapes
/// do not match.
struct SinusoidalPositions : Layer<SinusoidalPositions> {
  SinusoidalPositions(int64_t longest, int64_t width);

  Tensor forward(const Tensor& x, const Tensor& positions) const;
  void visit(auto&&) const {}

 private:
  Tensor table_f32_, table_f64_;  // [longest, width]
};

/// Adds to each row the learned embedding of its position.   x, positions: as for SinusoidalPositions
struct LearnedPositions : Layer<LearnedPositions> {
  Tensor weight;  ///< [longest, width], normal with standard deviation 0.02 initially

  LearnedPositions(int64_t longest, int64_t width, Random& random)
      : weight(normal_parameter({longest, width}, 0.02, random)) {}

  Tensor forward(const Tensor& x, const Tensor& positions) const;
  void visit(auto&& each) const { each("weight", weight); }
};

}  // namespace mixtape::nn

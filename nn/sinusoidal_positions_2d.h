#pragma once

#include "autograd/ops.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// Adds to the tokens of an image, a rows x columns grid in row-major order, the sines and cosines of their places: the
/// first half of the elements encodes the row as SinusoidalPositions does, the second the column (He et al. 2022,
/// "Masked autoencoders"). It has no parameters.   x: [..., rows columns, width], width a multiple of 4
struct SinusoidalPositions2d : Layer<SinusoidalPositions2d> {
  SinusoidalPositions2d(int64_t rows, int64_t columns, int64_t width);

  Tensor forward(const Tensor& x) const;
  void visit(auto&&) const {}

 private:
  Tensor table_f32_, table_f64_;  // [rows columns, width]
};

}  // namespace mixtape::nn

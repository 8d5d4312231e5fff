#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/attention_lab/layer.h"

namespace mixtape::attention_lab {

/// The results of the layer: Q, K, V, S, A, O, joined, Y, and the scalar L.
Matrices forward(const AttentionLayer& layer);

/// The gradients of L from the tape, dZ for each Z of the layer: dY, djoined, dO, dA, dS, dQ, dK, dV; those of the
/// inputs; and dX_query, dX_key, dX_value, the three branches that add up to dX. (In cross-attention the last two
/// add up to dmemory.)
Matrices backward(const AttentionLayer& layer);

/// (L(z + step) - L(z - step)) / (2 step), where z is one element of a tensor that `run` passes to its observer.
double numeric_derivative(const AttentionLayer& layer, const std::string& name, int64_t element, double step = 1e-5);

/// The same for every element of every gradient in `analytic`, under the same names.
Matrices numeric(const AttentionLayer& layer, const Matrices& analytic);

/// The error of the numeric derivative, by step: due to curvature for large steps, to rounding for small ones.
struct ErrorCurve {
  struct Point {
    double step, error;
  };
  std::string matrix;
  int64_t row, column;
  std::vector<Point> points;
};
/// For the largest element of dWq.
ErrorCurve error_curve(const AttentionLayer& layer, const Matrices& analytic);

/// A Hessian-vector product: the derivative of dX along a direction.
struct HessianProduct {
  Tensor direction;  ///< like X: dX, scaled to length 1
  Tensor product;    ///< the gradient of sum(dX * direction), from a tape that recorded its own backward pass
  Tensor numeric;    ///< (dX(X + step direction) - dX(X - step direction)) / (2 step)
};
HessianProduct hessian_product(const AttentionLayer& layer, const Tensor& dx);

}  // namespace mixtape::attention_lab

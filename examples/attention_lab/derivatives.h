#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/attention_lab/layer.h"

namespace mixtape::attention_lab {

/// What the layer computes: Q, K, V, S, A, O, joined, Y, and the scalar L.
Matrices forward(const AttentionLayer& layer);

/// The gradients of L from the tape, dZ for each Z of the layer: dY, djoined, dO, dA, dS, dQ, dK, dV; those of what was
/// given; and dX_query, dX_key, dX_value, the three branches that meet in dX. (In cross-attention the last two meet in
/// dmemory.)
Matrices backward(const AttentionLayer& layer);

/// (L(z + step) - L(z - step)) / (2 step), where z is one element of a tensor that `run` shows. No rule is asked.
double numeric_derivative(const AttentionLayer& layer, const std::string& name, int64_t element, double step = 1e-5);

/// The same for every element of every gradient in `analytic`, under the same names.
Matrices numeric(const AttentionLayer& layer, const Matrices& analytic);

/// How far the numeric derivative is off, by its step: a long step sees the curve, a short one the rounding.
struct ErrorCurve {
  struct Point {
    double step, error;
  };
  std::string matrix;
  int64_t row, column;
  std::vector<Point> points;
};
/// Of the largest element of dWq.
ErrorCurve error_curve(const AttentionLayer& layer, const Matrices& analytic);

/// The Hessian of L by X, times a direction: how dX changes along it.
struct HessianProduct {
  Tensor direction;  ///< like X: dX, scaled to length 1
  Tensor product;    ///< the gradient of sum(dX * direction), from a tape that recorded its own backward pass
  Tensor numeric;    ///< (dX(X + step direction) - dX(X - step direction)) / (2 step)
};
HessianProduct hessian_product(const AttentionLayer& layer, const Tensor& dx);

}  // namespace mixtape::attention_lab

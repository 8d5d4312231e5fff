#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// Optimizer updates, one pass over each parameter. `gradient_scale` multiplies the gradient first: clipping costs no
/// pass of its own.

struct SgdUpdate {
  double learning_rate = 0;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  double gradient_scale = 1;
  bool nesterov = false;
  bool first = false;  ///< the velocity is set to the gradient instead of updated
};

/// g = gradient + weight_decay p;  v = momentum v + (1 - dampening) g;  p -= learning_rate (nesterov ? g + momentum v :
/// v). With momentum 0 the move is g, and v is not touched and may be null.
void sgd(const SgdUpdate& update, const float* gradient, float* velocity, float* parameter, int64_t n) noexcept;
void sgd(const SgdUpdate& update, const double* gradient, double* velocity, double* parameter, int64_t n) noexcept;

struct AdamUpdate {
  double learning_rate = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;     ///< added to the gradient (Adam)
  double decoupled_decay = 0;  ///< shrinks the parameter by learning_rate times this (AdamW)
  double gradient_scale = 1;
  int64_t step = 1;  ///< counts from 1, for the bias corrections 1 - beta^step
};

/// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  p -= learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1
/// - beta2^t)) + epsilon).
void adam(const AdamUpdate& update, const float* gradient, float* m, float* v, float* parameter, int64_t n) noexcept;
void adam(const AdamUpdate& update, const double* gradient, double* m, double* v, double* parameter,
          int64_t n) noexcept;

}  // namespace mixtape::kernels

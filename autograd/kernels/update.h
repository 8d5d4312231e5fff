#pragma once

#include <cstdint>
#include <type_traits>

namespace mixtape::kernels {

/// Optimizer updates, one pass over each parameter. `gradient_scale` multiplies the gradient first, so clipping needs
/// no pass of its own.

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
/// v). Without momentum p -= learning_rate g, and v is not used: it may be null.
template <class T>
void sgd(const SgdUpdate& update, const T* gradient, std::type_identity_t<T>* velocity, T* parameter,
         int64_t n) noexcept;

struct AdamUpdate {
  double learning_rate = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;     ///< added to the gradient (Adam)
  double decoupled_decay = 0;  ///< shrinks the parameter by learning_rate times this (AdamW)
  double gradient_scale = 1;
  int64_t step = 1;  ///< from 1, for the bias corrections 1 - beta^step
};

/// m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;  p -= learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1
/// - beta2^t)) + epsilon).
template <class T>
void adam(const AdamUpdate& update, const T* gradient, T* m, T* v, T* parameter, int64_t n) noexcept;

}  // namespace mixtape::kernels

#pragma once

#include <array>

#include "optim/adam.h"

namespace mixtape::optim {

struct AdamWOptions {
  double learning_rate = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};  ///< decay rates of the two moments, each in [0, 1)
  double epsilon = 1e-8;
  double weight_decay = 1e-2;  ///< decoupled: applied to the parameter, not to the gradient
  Groups groups = {};
};

/// Adam with decoupled weight decay, as in PyTorch: as Adam without weight decay, but before the update
///
///   p <- (1 - learning_rate weight_decay) p
///
/// Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization". State: `m` and `v`.
class AdamW : public Adam {
 public:
  /// Throws as Optimizer does, and if an option is out of range.
  explicit AdamW(const NamedTensors& parameters, const AdamWOptions& options = {});
};

}  // namespace mixtape::optim

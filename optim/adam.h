#pragma once

#include <array>

#include "optim/optimizer.h"

namespace mixtape::optim {

struct AdamOptions {
  double learning_rate = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};  ///< decay rates of the two moments, each in [0, 1)
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< L2: times the parameter, added to the gradient; AdamW decouples it
  Groups groups = {};
};

/// Adam, as in PyTorch. With gradient g, parameter p, moments m and v, and t the number of the parameter's update:
///
///   g <- g + weight_decay p
///   m <- beta1 m + (1 - beta1) g
///   v <- beta2 v + (1 - beta2) g^2
///   p <- p - learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization". State: `m` and `v`.
class Adam : public Optimizer {
 public:
  /// Throws as Optimizer does, and if an option is out of range.
  explicit Adam(const NamedTensors& parameters, const AdamOptions& options = {});

 protected:
  enum class Decay { l2, decoupled };
  /// With the kind of weight decay chosen, for AdamW.
  Adam(const char* name, const NamedTensors& parameters, const AdamOptions& options, Decay decay);

  void update(const ParameterUpdate& parameter) override;

 private:
  AdamOptions options_;
  Decay decay_;
};

}  // namespace mixtape::optim

#pragma once

#include "optim/optimizer.h"

namespace mixtape::optim {

struct SgdOptions {
  double learning_rate = 1e-3;
  double momentum = 0;      ///< in [0, 1)
  double dampening = 0;     ///< a new gradient enters the velocity with factor 1 - dampening
  double weight_decay = 0;  ///< L2: times the parameter, added to the gradient
  bool nesterov = false;    ///< Nesterov momentum; requires momentum, and no dampening
  Groups groups = {};
};

/// Stochastic gradient descent with momentum, as in PyTorch. With gradient g, parameter p and velocity v:
///
///   g <- g + weight_decay p
///   v <- momentum v + (1 - dampening) g              (at a parameter's first update: v <- g)
///   p <- p - learning_rate v                         (nesterov: g + momentum v in place of v; without momentum: g)
///
/// Polyak 1964, "Some methods of speeding up the convergence of iteration methods"; Sutskever et al. 2013, "On the
/// importance of initialization and momentum in deep learning". State: `velocity`, if there is momentum.
class Sgd : public Optimizer {
 public:
  /// Throws as Optimizer does, and if an option is out of range.
  explicit Sgd(const NamedTensors& parameters, const SgdOptions& options = {});

 protected:
  void update(const ParameterUpdate& parameter) override;

 private:
  SgdOptions options_;
};

}  // namespace mixtape::optim

#pragma once

#include "optim/optimizer.h"

namespace mixtape::optim {

struct SignSgdOptions {
  double learning_rate = 1e-3;
  Groups groups = {};
};

/// p <- p - learning_rate sign(g) (Bernstein et al. 2018). No state.
class SignSgd : public Optimizer {
 public:
  explicit SignSgd(const NamedTensors& parameters, const SignSgdOptions& options = {})
      : Optimizer(parameters, {"sign_sgd", {}, options.learning_rate, 0, options.groups}) {}

 protected:
  void update(const ParameterUpdate& parameter) override;
};

}  // namespace mixtape::optim

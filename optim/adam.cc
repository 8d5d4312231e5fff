#include "optim/adam.h"

#include "autograd/kernels/update.h"

namespace mixtape::optim {

Adam::Adam(const NamedTensors& parameters, const AdamOptions& options) : Adam("adam", parameters, options, Decay::l2) {}

Adam::Adam(const char* name, const NamedTensors& parameters, const AdamOptions& options, Decay decay)
    : Optimizer(parameters, {name, {"m", "v"}, options.learning_rate, options.weight_decay, options.groups}),
      options_(options),
      decay_(decay) {
  for (double beta : options.betas) require(beta >= 0 && beta < 1, "a beta", beta, "0 <= beta < 1");
  require(options.epsilon >= 0, "epsilon", options.epsilon, "a number of at least 0");
}

void Adam::update(const ParameterUpdate& u) {
  const bool decoupled = decay_ == Decay::decoupled;
  const kernels::AdamUpdate settings{.learning_rate = u.learning_rate,
                                     .beta1 = options_.betas[0],
                                     .beta2 = options_.betas[1],
                                     .epsilon = options_.epsilon,
                                     .weight_decay = decoupled ? 0 : u.weight_decay,
                                     .decoupled_decay = decoupled ? u.weight_decay : 0,
                                     .gradient_scale = u.gradient_scale,
                                     .step = u.step};
  dispatch(u.parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::adam(settings, u.gradient.data<T>(), u.state[0].mutable_data<T>(), u.state[1].mutable_data<T>(),
                  u.parameter.mutable_data<T>(), u.parameter.elements());
  });
}

}  // namespace mixtape::optim

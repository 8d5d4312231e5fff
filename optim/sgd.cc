#include "optim/sgd.h"

#include <fmt/format.h>

#include "autograd/kernels/update.h"
#include "autograd/tensors/error.h"

namespace mixtape::optim {
namespace {

OptimizerSettings settings(const SgdOptions& options) {
  std::vector<std::string> state;
  if (options.momentum != 0) state.push_back("velocity");
  return {"sgd", state, options.learning_rate, options.weight_decay, options.groups};
}

}  // namespace

Sgd::Sgd(const NamedTensors& parameters, const SgdOptions& options)
    : Optimizer(parameters, settings(options)), options_(options) {
  require(options.momentum >= 0 && options.momentum < 1, "momentum", options.momentum, "0 <= momentum < 1");
  require(options.dampening >= 0 && options.dampening <= 1, "dampening", options.dampening, "0 <= dampening <= 1");
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0)) {
    fail(fmt::format("sgd: nesterov with momentum {} and dampening {}, expected momentum above 0 and dampening 0",
                     options.momentum, options.dampening));
  }
}

void Sgd::update(const ParameterUpdate& u) {
  const kernels::SgdUpdate settings{.learning_rate = u.learning_rate,
                                    .momentum = options_.momentum,
                                    .dampening = options_.dampening,
                                    .weight_decay = u.weight_decay,
                                    .gradient_scale = u.gradient_scale,
                                    .nesterov = options_.nesterov,
                                    .first = u.step == 1};
  dispatch(u.parameter.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* velocity = u.state.empty() ? nullptr : u.state[0].mutable_data<T>();
    kernels::sgd(settings, u.gradient.data<T>(), velocity, u.parameter.mutable_data<T>(), u.parameter.elements());
  });
}

}  // namespace mixtape::optim

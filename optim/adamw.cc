#include "optim/adamw.h"

namespace mixtape::optim {

AdamW::AdamW(const NamedTensors& parameters, const AdamWOptions& options)
    : Adam("adamw", parameters,
           {.learning_rate = options.learning_rate,
            .betas = options.betas,
            .epsilon = options.epsilon,
            .weight_decay = options.weight_decay,
            .groups = options.groups},
           Decay::decoupled) {}

}  // namespace mixtape::optim

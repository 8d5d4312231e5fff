#pragma once

#include "optim/optimizer.h"

namespace mixtape::optim {

/// Clips the global norm of the gradients to `max_norm` in the next step, and returns the norm before clipping, as
/// PyTorch does:
///
///   gradient <- gradient min(1, max_norm / (norm + 1e-6))       norm = sqrt(sum over all gradients of squares)
///
/// Call it after the last backward before the step. The step does the scaling; the gradients themselves do not change.
/// If gradients are not finite, the step is skipped. Throws unless max_norm is above 0 (infinity does not clip).
///
/// Pascanu et al. 2013, "On the difficulty of training recurrent neural networks".
double clip_grad_norm(Optimizer& optimizer, double max_norm);

}  // namespace mixtape::optim

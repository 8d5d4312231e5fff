#pragma once

#include "optim/optimizer.h"

namespace mixtape::optim {

/// Makes the next step scale all gradients together so that their global norm is at most `max_norm`, and returns the
/// norm before clipping, as PyTorch does:
///
///   gradient <- gradient min(1, max_norm / (norm + 1e-6))       norm = sqrt(sum over all gradients of squares)
///
/// To be called after the last backward before the step. The scaling is done inside the step; the gradients themselves
/// are not touched. Gradients that are not finite stay so, and the step will be
/// skipped. Throws unless max_norm
/// is above 0 (infinity clips nothing).
///
/// Pascanu et al. 2013, "On the difficulty of training recurrent neural networks".
double clip_grad_norm(Optimizer& optimizer, double max_norm);

}  // namespace mixtape::optim

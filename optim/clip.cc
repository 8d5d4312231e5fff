#include "optim/clip.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/tensors/error.h"

namespace mixtape::optim {

double clip_grad_norm(Optimizer& optimizer, double max_norm) {
  if (!(max_norm > 0)) fail(fmt::format("clip_grad_norm: max_norm is {}, expected more than 0", max_norm));
  const double norm = optimizer.gradient_norm();
  optimizer.scale_gradients(std::min(1.0, max_norm / (norm + 1e-6)));  // 1 if the norm is NaN
  return norm;
}

}  // namespace mixtape::optim

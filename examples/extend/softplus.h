#pragma once

#include "autograd/ops.h"
#include "autograd/tape/tape.h"

namespace mixtape::extend {

/// y = log(1 + exp(x)), element by element.
inline Tensor softplus(const Tensor& x) {
  Tensor y;
  {
    const Pause pause;  // what is computed here is not recorded
    y = log(exp(x) + 1.0);
  }
  return record("softplus", {x}, y, Rule(x, Save{x}, [](const Tensor& dy, const Tensor& x) {
                  return dy / (exp(-x) + 1.0);  // dx = dy * sigmoid(x)
                }));
}

}  // namespace mixtape::extend

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "autograd/tensors/random.h"
#include "autograd/tensors/tensor.h"

namespace mixtape {

struct GradcheckOptions {
  /// |analytic - numeric| <= tolerance * max(1, |analytic|, |numeric|) for every element.
  double tolerance = 1e-6;
  /// Step of the numeric derivative, a five-point central difference: (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12
  /// h.
  double step = 1e-3;
  /// Check the derivatives of the derivatives, too.
  bool second_order = true;
  /// Seed of the directions along which outputs are summed up.
  uint64_t seed = 1;
  /// If set, f runs under training tapes that draw from this key, so that each run drops the same elements.
  std::optional<RandomKey> random = {};
};

struct GradcheckResult {
  bool passed = true;
  double worst = 0;     ///< the largest |analytic - numeric| / max(1, |analytic|, |numeric|)
  std::string message;  ///< if not passed: which derivative of which element differs, and by how much

  explicit operator bool() const { return passed; }
};

/// A function of tensors, built from ops.
using Differentiable = std::function<Tensor(const std::vector<Tensor>& inputs)>;

/// Compares the gradients that the tape gives for f at `inputs` with numeric ones, element by element. The output is
/// reduced to a number by a fixed random weight for each element (and, for second order, squares). Inputs are f64; i32
/// inputs and undefined ones are passed on unchanged. Parameters that f uses besides its inputs can be listed among the
/// inputs, too: they are changed in place, and put back. Stay away from kinks (relu at 0), where no derivative exists.
GradcheckResult gradcheck(const Differentiable& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

}  // namespace mixtape

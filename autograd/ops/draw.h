#pragma once

#include <cmath>

#include "autograd/kernels/dropout.h"
#include "autograd/tape.h"

namespace mixtape {

/// What dropout with probability p draws from now; one that drops nothing unless a training tape is recording.
inline kernels::DropoutDraw dropout_draw(double p) {
  if (p == 0) return {};
  const std::optional<RandomDraw> draw = Tape::draw();
  if (!draw) return {};
  return {draw->key.seed, draw->key.step, draw->op, static_cast<uint32_t>(std::lround(std::ldexp(p, 32) * (1 - 1e-12))),
          1 / (1 - p)};
}

}  // namespace mixtape

#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/kernels/dropout.h"
#include "autograd/tape/tape.h"

namespace mixtape {

/// What dropout with probability p draws from now; one that drops nothing unless a training tape is recording.
inline kernels::DropoutDraw dropout_draw(double p) {
  if (p == 0) return {};
  const std::optional<RandomDraw> draw = Tape::draw();
  if (!draw) return {};
  constexpr double kMost = std::numeric_limits<uint32_t>::max();
  const auto threshold = static_cast<uint32_t>(std::lround(std::min(std::ldexp(p, 32), kMost)));
  return {draw->key.seed, draw->key.step, draw->op, threshold, 1 / (1 - p)};
}

}  // namespace mixtape

#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// What decides which elements are dropped: the run's seed, the step, the number of the random op within the step, and
/// how much is kept.
struct DropoutDraw {
  uint64_t seed = 0;
  uint64_t step = 0;
  uint32_t op = 0;
  uint32_t threshold = 0;  ///< an element is dropped if its 32 random bits are below this: p * 2^32
  double scale = 1;        ///< 1 / (1 - p)

  explicit operator bool() const { return threshold != 0; }
};

/// y[i] = keep(i) ? x[i] / (1 - p) : 0. The mask is never stored: backward is the same call on dy. y may be x.
void dropout(const DropoutDraw& draw, const float* x, float* y, int64_t n) noexcept;
void dropout(const DropoutDraw& draw, const double* x, double* y, int64_t n) noexcept;

}  // namespace mixtape::kernels

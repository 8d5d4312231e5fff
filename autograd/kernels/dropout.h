#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// What the draws are a function of: the run's seed, the step, the number of the random op within the step, and the
/// element's index.
struct DropoutDraw {
  uint64_t seed = 0;
  uint64_t step = 0;
  uint32_t op = 0;
  uint32_t threshold = 0;  ///< p * 2^32: an element is dropped if its 32 random bits are below this
  double scale = 1;        ///< 1 / (1 - p)

  explicit operator bool() const { return threshold != 0; }
};

/// y[i] = keep(i) ? x[i] / (1 - p) : 0. The mask is never stored: backward is the same call on dy. y may be x.
template <class T>
void dropout(const DropoutDraw& draw, const T* x, T* y, int64_t n) noexcept;

}  // namespace mixtape::kernels

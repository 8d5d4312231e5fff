#pragma once

#include <cstdint>

#include "autograd/tensors/tensor.h"

namespace mixtape {

/// What the random ops of one training step draw from: the run's seed and the step. Each op adds its line on the tape,
/// each element its index, so a draw depends on nothing else: not on threads, not on what was drawn before, not on a
/// restart.
struct RandomKey {
  uint64_t seed = 0;
  uint64_t step = 0;
};

/// A stream of random numbers from Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
/// Models draw their first weights from it; `at(step)` gives the key of a training step.
class Random {
 public:
  explicit Random(uint64_t seed) : seed_(seed) {}

  uint64_t seed() const { return seed_; }
  RandomKey at(int64_t step) const { return {seed_, static_cast<uint64_t>(step)}; }

  /// The next 32 random bits.
  uint32_t bits();
  /// The next number in [0, 1), and in [low, high).
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// The next index in [0, n). n > 0.
  int64_t below(int64_t n);
  /// The next normally distributed number.
  double normal(double mean = 0, double deviation = 1);

  /// Tensors of such numbers.
  Tensor uniform(const Shape& shape, double low, double high, DType dtype = f32);
  Tensor normal(const Shape& shape, double mean, double deviation, DType dtype = f32);

 private:
  uint64_t seed_;
  uint64_t counter_ = 0;
  uint32_t block_[4] = {};
  int left_ = 0;
};

}  // namespace mixtape

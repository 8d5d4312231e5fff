#pragma once

#include <cstdint>

namespace mixtape::optim {

/// Learning rates as functions of the step, which counts from 1. They have no state: to resume, a run needs only its
/// step.
///
///   const optim::InverseSquareRoot schedule{.peak = 1e-3, .warmup = 4000};
///   optimizer.set_learning_rate(schedule(step));
///
/// The first `warmup` steps are linear: peak step / warmup. With 0 there is no warm-up. All throw if the step is below
/// 1, or, after the warm-up, if total is missing.

/// The same rate at every step.
struct Constant {
  double learning_rate;

  double operator()(int64_t step) const;
};

/// peak min(step / warmup, sqrt(warmup / step)): rises to the peak at step `warmup`, then falls. A warmup of 0 counts
/// as 1. Vaswani et al. 2017, "Attention Is All You Need", section 5.3, whose peak is 1 / sqrt(width warmup).
struct InverseSquareRoot {
  double peak;
  int64_t warmup = 4000;

  double operator()(int64_t step) const;
};

/// After the warm-up, floor + (peak - floor) (1 + cos(pi (step - warmup) / (total - warmup))) / 2; from step `total`
/// on, floor. Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", without restarts.
struct Cosine {
  double peak;
  int64_t warmup = 0;
  int64_t total;
  double floor = 0;

  double operator()(int64_t step) const;
};

/// After the warm-up, floor + (peak - floor) (total - step) / (total - warmup); from step `total` on, floor. Devlin et
/// al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding".
struct Linear {
  double peak;
  int64_t warmup = 0;
  int64_t total;
  double floor = 0;

  double operator()(int64_t step) const;
};

}  // namespace mixtape::optim

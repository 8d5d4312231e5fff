#pragma once

#include "autograd/ops.h"
#include "nn/init.h"
#include "nn/layer.h"

namespace mixtape::nn {

struct BatchNormOptions {
  double momentum = 0.1;  ///< the share of the batch in each update of the running statistics
  double epsilon = 1e-5;
};

/// (x - mean) / sqrt(variance + epsilon) * weight + bias by channel (Ioffe & Szegedy 2015).   x, result: [...,
/// channels]
///
/// It trains when dropout drops: while a tape with a random key, `Tape tape(random.at(step))`, is recording on this
/// thread. Then mean and variance are those of the batch over all axes but the last, at least two rows, and each call
/// moves the running ones towards them: running = (1 - momentum) running + momentum batch, the variance with divisor N
/// - 1. Everywhere else (no tape, a tape that only differentiates, under a Pause) the running ones are used, and stay.
struct BatchNorm : Layer<BatchNorm> {
  Tensor weight;            ///< [channels], 1 at first
  Tensor bias;              ///< [channels], 0 at first
  Tensor running_mean;      ///< [channels], a buffer, 0 at first
  Tensor running_variance;  ///< [channels], a buffer, 1 at first
  BatchNormOptions options;

  explicit BatchNorm(int64_t channels, const BatchNormOptions& chosen = {});

  Tensor forward(const Tensor& x) const;
  void visit(auto&& each) const {
    each("weight", weight);
    each("bias", bias);
    each("running_mean", running_mean);
    each("running_variance", running_variance);
  }
};

}  // namespace mixtape::nn

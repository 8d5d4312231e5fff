#pragma once

#include "autograd/ops.h"
#include "nn/init.h"
#include "nn/layer.h"

namespace mixtape::nn {

struct BatchNormOptions {
  double momentum = 0.1;  ///< weight of the batch in each update of the running statistics
  double epsilon = 1e-5;
};

/// (x - mean) / sqrt(variance + epsilon) * weight + bias by channel (Ioffe & Szegedy 2015).   x, result: [...,
/// channels]
///
/// It trains under the same condition as dropout: a tape with a random key, `Tape tape(random.at(step))`, is recording
/// on this thread. Mean and variance then are those of the batch over all axes but the last (at least two rows), and
/// each call updates the running statistics: running = (1 - momentum) running + momentum batch, with the unbiased
/// variance (divisor N - 1). Otherwise (no tape, a tape that only differentiates, under a Pause) the running statistics
/// are used and do not change.
struct BatchNorm : Layer<BatchNorm> {
  Tensor weight;            ///< [channels], 1 initially
  Tensor bias;              ///< [channels], 0 initially
  Tensor running_mean;      ///< [channels], a buffer, 0 initially
  Tensor running_variance;  ///< [channels], a buffer, 1 initially
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

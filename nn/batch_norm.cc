#include "nn/batch_norm.h"

#include <fmt/format.h>

#include "autograd/tensors/error.h"

namespace mixtape::nn {
namespace {

void move_towards(const Tensor& running, const Tensor& batch, double momentum) {
  const Pause pause;
  running.copy_from(running * (1 - momentum) + batch * momentum);
}

}  // namespace

BatchNorm::BatchNorm(int64_t channels, const BatchNormOptions& chosen)
    : weight(ones_parameter({channels})),
      bias(zeros_parameter({channels})),
      running_mean(Tensor::zeros({channels}).as_buffer()),
      running_variance(Tensor::ones({channels}).as_buffer()),
      options(chosen) {}

Tensor BatchNorm::forward(const Tensor& x) const {
  const Tape* tape = Tape::recording();
  if (!tape || !tape->trains()) {
    const Tensor scale = weight / sqrt(running_variance + options.epsilon);
    return x * scale + (bias - running_mean * scale);
  }
  const BatchNormed batch = batch_norm(x, weight, bias, options.epsilon);
  const int64_t per_channel = x.elements() / weight.elements();
  const auto rows = static_cast<double>(per_channel);
  if (rows < 2) fail(fmt::format("batch norm: a batch of {}, expected at least two rows", to_string(x.shape())));
  move_towards(running_mean, batch.mean, options.momentum);
  move_towards(running_variance, batch.variance * (rows / (rows - 1)), options.momentum);
  return batch.y;
}

}  // namespace mixtape::nn

#pragma once

#include "autograd/dtype.h"

namespace mixtape {

/// Training with mixed precision (Micikevicius et al. 2018): while it is in scope on its thread, matrix products of f32
/// tensors (matmul, linear, activated_linear, conv2d, scaled_dot_product_attention) round their factors to bf16 and add
/// up in f32, and gelu and gelu_tanh round what they read. The tape keeps queries, keys, values and what GELU reads in
/// bf16. All else stays f32: weights, gradients, norms, softmax, losses, optimizers. f64 is not touched. Backward
/// multiplies as forward did, wherever it runs.
///
///     const MixedPrecision precision(bf16);
///     Tape tape(random.at(step));
///     tape.backward(cross_entropy(model(images), labels));
class MixedPrecision {
 public:
  /// bf16, or f32 for full precision. Throws for anything else.
  explicit MixedPrecision(DType factors = bf16);
  ~MixedPrecision();
  MixedPrecision(const MixedPrecision&) = delete;
  MixedPrecision& operator=(const MixedPrecision&) = delete;

 private:
  DType outer_;
};

/// What products of f32 tensors round their factors to on this thread now: f32 (not at all) or bf16.
DType product_dtype();

}  // namespace mixtape

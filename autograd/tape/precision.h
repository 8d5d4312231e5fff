#pragma once

#include "autograd/tensors/tensor.h"

namespace mixtape {

/// Training with mixed precision (Micikevicius et al. 2018): while it is in scope on its thread, matrix products of f32
/// tensors (matmul, linear, conv2d, scaled_dot_product_attention) round their operands to bf16 and add up in f32, and
/// gelu and gelu_tanh round what they read. The tape saves queries, keys, values and what GELU reads in bf16. All else
/// stays f32: weights, gradients, norms, softmax, losses, optimizers. f64 is not touched. Backward multiplies as
/// forward did, wherever it runs.
///
///     const MixedPrecision precision(bf16);
///     Tape tape(random.at(step));
///     tape.backward(cross_entropy(model(images), labels));
class MixedPrecision {
 public:
  /// bf16, or f32 for full precision. Throws for anything else.
  explicit MixedPrecision(DType operands = bf16);
  ~MixedPrecision();
  MixedPrecision(const MixedPrecision&) = delete;
  MixedPrecision& operator=(const MixedPrecision&) = delete;

 private:
  DType outer_;
};

/// The compute precision of this thread: what products of f32 tensors round their operands to now, f32 (not at all) or
/// bf16.
DType compute_precision();

/// x as products read it: rounded, in half the memory, if that is what they do with it; otherwise x itself.
Tensor rounded_operand(const Tensor& x);
/// The same as f32 numbers, which are there only while a rule reads them: what an op saves that only multiplies with x.
Tensor saved_operand(const Tensor& x);

}  // namespace mixtape

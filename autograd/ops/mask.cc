#include "autograd/ops/mask.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"

namespace mixtape {
namespace {

void check_rank(const char* what, const Tensor& tensor) {
  if (tensor.rank() < 2 || tensor.rank() > 4) {
    fail(fmt::format("mask: {} of {}, expected [Tq, Tk], [B, Tq, Tk] or [B, H, Tq, Tk]", what,
                     to_string(tensor.shape())));
  }
}

Tensor both_pairs(const Tensor& a, const Tensor& b) {
  if (!a || !b) return a ? a : b;
  if (!(a.shape() == b.shape())) {
    fail(fmt::format("mask: allowed pairs of {} and {} do not combine", to_string(a.shape()), to_string(b.shape())));
  }
  Tensor both = Tensor::like(a);
  int32_t* result = both.mutable_data<int32_t>();
  for (int64_t i = 0; i < a.elements(); ++i) result[i] = a.data<int32_t>()[i] != 0 && b.data<int32_t>()[i] != 0;
  return both;
}

Tensor both_biases(const Tensor& a, const Tensor& b) {
  if (!a || !b) return a ? a : b;
  const auto by_head = [](const Tensor& x) { return reshape(x, x.shape().inserted(1, 1)); };  // [B, Tq, Tk]: any head
  if (a.rank() == 3 && b.rank() == 4) return by_head(a) + b;
  if (a.rank() == 4 && b.rank() == 3) return a + by_head(b);
  return a + b;
}

}  // namespace

Mask operator&(const Mask& a, const Mask& b) {
  Mask both;
  both.causal_ = a.causal_ || b.causal_;
  both.reach_ = a.reach_ && b.reach_ ? std::min(*a.reach_, *b.reach_) : (a.reach_ ? a.reach_ : b.reach_);
  if (a.lengths_ && b.lengths_) fail("mask: both sides limit the lengths of the keys");
  both.lengths_ = a.lengths_ ? a.lengths_ : b.lengths_;
  both.pairs_ = both_pairs(a.pairs_, b.pairs_);
  both.bias_ = both_biases(a.bias_, b.bias_);
  return both;
}

Mask causal() {
  Mask mask;
  mask.causal_ = true;
  return mask;
}

Mask window(int64_t reach) {
  if (reach < 0) fail(fmt::format("mask: a window of reach {}, expected at least 0", reach));
  Mask mask;
  mask.reach_ = reach;
  return mask;
}

Mask key_lengths(const std::vector<int32_t>& lengths) {
  Mask mask;
  mask.lengths_ = Tensor::from(lengths, {static_cast<int64_t>(lengths.size())});
  return mask;
}

Mask allowed_pairs(const Tensor& pairs) {
  check_rank("allowed pairs", pairs);
  if (pairs.dtype() != i32) fail(fmt::format("mask: allowed pairs of {}, expected i32", name_of(pairs.dtype())));
  Mask mask;
  mask.pairs_ = pairs;
  return mask;
}

Mask additive_bias(const Tensor& bias) {
  check_rank("bias", bias);
  Mask mask;
  mask.bias_ = bias;
  return mask;
}

}  // namespace mixtape

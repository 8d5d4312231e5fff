#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "autograd/tensors/tensor.h"

namespace mixtape {

/// Which keys each query of an attention may look at. Made by the functions below and combined with `&`: a pair is seen
/// if every part lets it be seen. A default Mask hides nothing. What is hidden is never read, and a query that sees
/// nothing gives 0.
class Mask {
 public:
  bool is_causal() const { return causal_; }
  std::optional<int64_t> reach() const { return reach_; }
  const Tensor& lengths() const { return lengths_; }
  const Tensor& pairs() const { return pairs_; }
  const Tensor& bias() const { return bias_; }

  /// Both masks at once: the narrower window, and biases add up. Throws if both limit lengths or both name pairs of
  /// different shapes.
  friend Mask operator&(const Mask& a, const Mask& b);

  friend Mask causal();
  friend Mask window(int64_t reach);
  friend Mask key_lengths(const std::vector<int32_t>& lengths);
  friend Mask allowed_pairs(const Tensor& pairs);
  friend Mask additive_bias(const Tensor& bias);

 private:
  bool causal_ = false;
  std::optional<int64_t> reach_;
  Tensor lengths_;  // i32 [B]
  Tensor pairs_;    // i32
  Tensor bias_;
};

/// Query i of Tq sees key j of Tk only if j <= i + Tk - Tq: the last query sees all, none sees the future. Tk counts
/// the keys that key_lengths hides, too.
Mask causal();
/// Query i of Tq sees key j of Tk only if |i + Tk - Tq - j| <= reach: those near its own place. Attention's time and
/// memory then grow with the length, not with its square (Beltagy et al. 2020, "Longformer"). Throws if reach < 0.
Mask window(int64_t reach);
/// Only the first lengths[b] keys of sequence b are seen.
Mask key_lengths(const std::vector<int32_t>& lengths);
/// Query i sees key j where pairs is not 0.   pairs: i32 [Tq, Tk], [B, Tq, Tk] or [B, H, Tq, Tk]
Mask allowed_pairs(const Tensor& pairs);
/// A number added to each score before the softmax.   bias: [Tq, Tk], [B, Tq, Tk] or [B, H, Tq, Tk], of the queries'
/// dtype; may be trained
Mask additive_bias(const Tensor& bias);

}  // namespace mixtape

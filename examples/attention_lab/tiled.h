#pragma once

#include <cstdint>
#include <vector>

#include "examples/attention_lab/layer.h"

namespace mixtape::attention_lab {

/// One block of keys, as a query of the chosen head meets it (Milakov & Gimelshein 2018, "Online normalizer calculation
/// for softmax"; Dao et al. 2022, "FlashAttention").
struct TiledBlock {
  int64_t first;               ///< its first key
  std::vector<double> scores;  ///< of those of its keys that the query sees
  double max;                  ///< the largest score so far, -infinity before there is any
  double shrink;               ///< exp(old max - max): what the sum and the output so far are multiplied by
  double sum;                  ///< of exp(score - max) over the keys so far
  std::vector<double> output;  ///< sum of exp(score - max) times value over the keys so far
};

/// Attention without ever holding a whole row of scores: forward block by block, backward from each row's max +
/// log(sum) by computing the weights again.
struct Tiled {
  int64_t block = 0;                               ///< keys in a block
  std::vector<std::vector<TiledBlock>> rows = {};  ///< by query of the chosen head
  double difference = 0;  ///< the largest from what the plain way gives, over O, dQ, dK, dV of all heads
};

/// `plain_forward` and `plain_backward` are what forward() and backward() of derivatives.h gave.
Tiled tiled(const AttentionLayer& layer, int64_t head, int64_t block, const Matrices& plain_forward,
            const Matrices& plain_backward);

}  // namespace mixtape::attention_lab

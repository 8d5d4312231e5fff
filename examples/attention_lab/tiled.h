#pragma once

#include <cstdint>
#include <vector>

#include "examples/attention_lab/layer.h"

namespace mixtape::attention_lab {

/// One block of keys, as processed for a query of the chosen head (Milakov & Gimelshein 2018, "Online normalizer
/// calculation for softmax"; Dao et al. 2022, "FlashAttention").
struct TiledBlock {
  int64_t first;               ///< its first key
  std::vector<double> scores;  ///< of the keys that the query sees
  double max;                  ///< the largest score so far, initially -infinity
  double shrink;               ///< exp(old max - max), which rescales the previous sum and output
  double sum;                  ///< of exp(score - max) over the keys so far
  std::vector<double> output;  ///< sum of exp(score - max) times value over the keys so far
};

/// Attention that never stores a whole row of scores: forward block by block; backward recomputes the weights from max
/// + log(sum) of each row.
struct Tiled {
  int64_t block = 0;                               ///< keys in a block
  std::vector<std::vector<TiledBlock>> rows = {};  ///< by query of the chosen head
  double difference = 0;  ///< the largest difference from the untiled results, over O, dQ, dK, dV of all heads
};

/// `plain_forward` and `plain_backward` are the results of forward() and backward() of derivatives.h.
Tiled tiled(const AttentionLayer& layer, int64_t head, int64_t block, const Matrices& plain_forward,
            const Matrices& plain_backward);

}  // namespace mixtape::attention_lab

#pragma once

#include <cstdint>
#include <vector>

namespace mixtape::attention_lab {

/// What one forward and backward pass of a kind of attention took.
struct Cost {
  double seconds = 0;  ///< the shortest of a few runs
  int64_t bytes = 0;   ///< that the tape held for backward
};

/// Kinds of attention on one sequence, f32, 4 heads of width 16.
struct CostRow {
  int64_t length = 0;
  Cost full;      ///< every step an op of its own: the weights of all pairs are kept
  Cost tiled;     ///< nn::MultiHeadAttention: all pairs, but no weights are kept
  Cost windowed;  ///< the same under window(32)
  Cost linear;    ///< nn::LinearAttention
};

/// Measures each kind at each length. Seconds are of this machine, now.
std::vector<CostRow> measure_costs(const std::vector<int64_t>& lengths = {64, 128, 256, 512, 1024});

}  // namespace mixtape::attention_lab

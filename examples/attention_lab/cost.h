#pragma once

#include <cstdint>
#include <vector>

namespace mixtape::attention_lab {

/// The cost of one forward and backward pass of a kind of attention.
struct Cost {
  double seconds = 0;  ///< the minimum of a few runs
  int64_t bytes = 0;   ///< saved by the tape for backward
};

/// Kinds of attention on one sequence, f32, 4 heads of width 16.
struct CostRow {
  int64_t length = 0;
  Cost full;      ///< one op per step: the weights of all pairs are saved
  Cost tiled;     ///< nn::MultiHeadAttention: all pairs, but no weights are saved
  Cost windowed;  ///< the same under window(32)
  Cost linear;    ///< nn::LinearAttention
};

/// Measures each kind at each length on this machine.
std::vector<CostRow> measure_costs(const std::vector<int64_t>& lengths = {64, 128, 256, 512, 1024});

}  // namespace mixtape::attention_lab

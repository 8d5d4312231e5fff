#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mixtape::bench {

/// A size that a training step's cost is measured by.
struct Growth {
  std::string name;                                          ///< `length`
  std::string label;                                         ///< what stands at the axis: `positions of one sequence`
  std::vector<int64_t> values;                               ///< from small to large
  std::function<std::function<void()>(int64_t value)> step;  ///< one whole step at that size
};

/// By length, batch, width and vocabulary of a small language model (width 128, 4 heads, 2 layers, 1,000 tokens), and
/// by the number of ops on a tape.
std::vector<Growth> growths();

/// Throws if there is no growth of that name.
Growth find_growth(const std::string& name);

/// What one point costs.
struct Cost {
  int64_t value = 0;
  double seconds = 0;  ///< median of a step
  double peak_mb = 0;  ///< of resident memory above the start of the process
};

/// Measures every point, each in a process of its own (`program growth --by NAME --value N`), and writes into a folder
/// (made if need be): `growth.md` with a table for each growth, and `growth-NAME.svg`.
void write_growths(const std::string& program, const std::string& folder, int64_t threads);

}  // namespace mixtape::bench

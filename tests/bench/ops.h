#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace mixtape::bench {

/// One op on fixed input.
struct OpWork {
  std::function<void()> forward;           ///< unrecorded
  std::function<void()> forward_backward;  ///< on a tape of its own
  double flops = 0;                        ///< of matrix products, forward
  double bytes = 0;                        ///< that the forward pass must move at least
};

/// Throws if there is no such op.
OpWork make_op(const std::string& name, uint64_t seed);

}  // namespace mixtape::bench

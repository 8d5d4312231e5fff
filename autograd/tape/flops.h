#pragma once

#include <cstdint>

namespace mixtape {

/// Counts the floating-point operations of the matrix products (2 per multiplication and addition) that ops do on this
/// thread while it exists: matmul, linear, conv2d, and the two products of attention on the pairs of each sequence,
/// whether a mask hides them or not.
class FlopCounter {
 public:
  FlopCounter();
  ~FlopCounter();
  FlopCounter(const FlopCounter&) = delete;
  FlopCounter& operator=(const FlopCounter&) = delete;

  int64_t count() const { return count_; }

 private:
  friend void count_flops(int64_t flops);
  int64_t count_ = 0;
  FlopCounter* outer_;
};

/// For ops: adds to every counter of this thread.
void count_flops(int64_t flops);

}  // namespace mixtape

#pragma once

#include <cstdint>
#include <span>

#include "autograd/tensors/tensor.h"

namespace mixtape {

/// For tests: chooses the order in which the rules of each line are played on this thread, and looks on.
class RuleObserver {
 public:
  virtual ~RuleObserver() = default;
  virtual void order(std::span<uint32_t> rules) = 0;
  virtual void before(const char* op, std::span<const Tensor* const> still_read) = 0;
  virtual void after(const char* op, std::span<const Tensor* const> still_read) = 0;

  static thread_local RuleObserver* current;
};

}  // namespace mixtape

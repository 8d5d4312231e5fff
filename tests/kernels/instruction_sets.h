#pragma once

#include <doctest/doctest.h>

#include <string>

#include "autograd/kernels/instruction_set.h"

namespace mixtape::tests {

/// Calls f() once on each instruction set that this machine can run, then returns to the best one.
template <class F>
void for_each_instruction_set(const F& f) {
  struct Reset {
    ~Reset() { kernels::force_instruction_set(""); }
  } reset;
  for (const std::string& instruction_set : kernels::instruction_sets()) {
    CAPTURE(instruction_set);
    REQUIRE(kernels::force_instruction_set(instruction_set));
    f();
  }
}

}  // namespace mixtape::tests

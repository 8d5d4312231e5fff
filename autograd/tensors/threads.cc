#include "autograd/tensors/threads.h"

#include <fmt/format.h>

#include "autograd/kernels/instruction_set.h"
#include "autograd/kernels/parallel.h"
#include "autograd/tensors/error.h"

namespace mixtape {

int threads() { return kernels::threads(); }

void set_threads(int count) {
  if (count < 1 || count > 1024) fail(fmt::format("threads: {}, expected 1 to 1024", count));
  kernels::set_threads(count);
}

std::string instruction_set() { return kernels::instruction_set(); }

void force_instruction_set(const std::string& name) {
  if (!kernels::force_instruction_set(name)) {
    fail(fmt::format("instruction set: this machine has no {}, only {}", name,
                     fmt::join(kernels::instruction_sets(), ", ")));
  }
}

}  // namespace mixtape

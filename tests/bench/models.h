#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "autograd/files/named_tensors.h"
#include "autograd/tensors/tensor.h"
#include "optim/optimizer.h"

namespace mixtape::bench {

/// A model with its optimizer and fixed synthetic input.
struct Workload {
  std::shared_ptr<void> model;  ///< keeps it alive
  NamedTensors parameters;
  std::unique_ptr<optim::Optimizer> optimizer;
  std::function<Tensor()> loss;  ///< the forward pass
  int64_t batch = 0;
  int64_t items = 0;  ///< of a step: target tokens, images or characters
};

/// The names that make_workload knows.
std::vector<std::string> workload_names();

/// Throws if there is no such model.
Workload make_workload(const std::string& name, uint64_t seed);

}  // namespace mixtape::bench

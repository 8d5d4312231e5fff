#pragma once

#include <functional>
#include <string>

#include "nn/layer.h"

namespace mixtape::nn {

/// A table of what runs when `run` calls the model: each layer's path, type, output shape, own parameters and the FLOPs
/// of its matrix products (2 per multiplication and addition, sub-layers included), and totals. `run` is called once,
/// unrecorded:
///
///     fmt::print("{}", nn::summary(model, [&] { model(source, target); }));
std::string summary_of(const NamedTensors& tensors, const std::function<void()>& run);
template <class Self>
std::string summary(const Layer<Self>& model, const std::function<void()>& run) {
  return summary_of(named_tensors(model), run);
}

}  // namespace mixtape::nn

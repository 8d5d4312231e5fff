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
std::string summary(const LayerBase& model, const std::function<void()>& run);

}  // namespace mixtape::nn

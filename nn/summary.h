#pragma once

#include <functional>
#include <string>

#include "nn/layer.h"

namespace mixtape::nn {

/// A table of the layers that run when `run` calls the model: path, type, output shape, own parameters, the FLOPs of
/// matrix products (2 per multiply-add, sub-layers included), and totals. `run` is called once, without recording:
///
///     fmt::print("{}", nn::summary(model, [&] { model(source, target); }));
std::string summary(const LayerBase& model, const std::function<void()>& run);

}  // namespace mixtape::nn

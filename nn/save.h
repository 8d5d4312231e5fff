#pragma once

#include <string>

#include "autograd/files/safetensors.h"
#include "nn/layer.h"

namespace mixtape::nn {

/// Writes the parameters and buffers of a model to a safetensors file under their dotted names, atomically.
void save_tensors(const NamedTensors& tensors, const std::string& path, const Metadata& metadata = {});
void save(const LayerBase& model, const std::string& path, const Metadata& metadata = {});

/// Reads a file written by save into a model of the same shape, converting between f32 and f64, and returns its
/// metadata. Throws, changing nothing, if the file is damaged or does not match the model; the message lists the names
/// and shapes that differ.
Metadata load_tensors(const NamedTensors& tensors, const std::string& path);
Metadata load(const LayerBase& model, const std::string& path);

}  // namespace mixtape::nn

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "autograd/named_tensors.h"
#include "autograd/random.h"
#include "autograd/safetensors.h"

/// A layer or a model, small, in f64, with random parameters, and a way to call it.
struct LayerRow {
  std::string name;                               ///< the type and what is special: `FeedForward, gelu`
  std::string type;                               ///< `FeedForward`
  std::vector<std::string> names;                 ///< expected dotted names of its tensors, in order
  mixtape::NamedTensors tensors;                  ///< what named_tensors gives
  std::vector<mixtape::Tensor> inputs;            ///< that have a gradient
  std::optional<mixtape::RandomKey> random = {};  ///< for rows with dropout: what training tapes draw from
  std::function<mixtape::Tensor(const std::vector<mixtape::Tensor>& inputs)> call;
  std::function<void(const std::string& path)> save, load;
  std::function<std::string()> summary;
};

/// Every layer and model of nn/, some in several variants.
std::vector<LayerRow> layer_table();

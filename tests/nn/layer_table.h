#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autograd/tensors/random.h"
#include "nn/layer.h"

/// A layer or a model, small, in f64, with random parameters, and a way to call it.
struct LayerRow {
  std::string name;                ///< the type and variant: `FeedForward, gelu`
  std::string type;                ///< `FeedForward`
  std::vector<std::string> names;  ///< expected dotted names of its tensors, in order
  std::shared_ptr<const mixtape::nn::LayerBase> model;
  std::vector<mixtape::Tensor> inputs;            ///< differentiated
  std::optional<mixtape::RandomKey> random = {};  ///< for rows with dropout: the random key of training tapes
  std::function<mixtape::Tensor(const std::vector<mixtape::Tensor>& inputs)> call;
};

/// Every layer and model of nn/, some in several variants.
std::vector<LayerRow> layer_table();

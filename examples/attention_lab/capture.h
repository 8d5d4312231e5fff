#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "examples/attention_lab/layer.h"
#include "nn/layer.h"

namespace mixtape::attention_lab {

/// The weights of every head of one layer, and dL/dA.
struct LayerWeights {
  std::string name;
  Tensor a, da;  ///< [H, Tq, Tk]
};

/// The Euclidean norm of all elements.
double norm(const Tensor& x);

/// The norms of the gradients of the queries, keys and values of one layer in one training step.
struct GradientNorms {
  int64_t step;
  std::string layer;
  double dq, dk, dv;
};

/// The attention layers of a model for one example.
struct Captured {
  AttentionLayer layer;              ///< the chosen one
  std::vector<LayerWeights> layers;  ///< all, in the order in which they run
  std::vector<GradientNorms> norms;  ///< of this example, as step 0
};

/// Throws, naming the layers, if the model has no attention layer at path `chosen`.
void check_layer(const nn::LayerBase& model, const std::string& chosen);

/// Runs `loss` of the model (one example, f64) under a tape, and reads from the tape the inputs of the layer at path
/// `chosen` and the gradient of its result. Throws as check_layer does.
Captured capture(const nn::LayerBase& model, const std::function<Tensor()>& loss, const std::string& chosen);

/// Trains all parameters with Adam; `loss` runs the model on the batch of a step. Returns the norms of about sixteen
/// steps.
std::vector<GradientNorms> train(const nn::LayerBase& model, int64_t steps, double learning_rate, uint64_t seed,
                                 const std::function<Tensor(int64_t step)>& loss);

}  // namespace mixtape::attention_lab

#include "examples/attention_lab/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tape/tape_listing.h"
#include "autograd/tensors/error.h"
#include "nn/multi_head_attention.h"
#include "optim/adam.h"
#include "optim/clip.h"

namespace mixtape::attention_lab {
namespace {

// While it exists, collects results of layers by path.
class Results {
 public:
  Results()
      : observer_({}, [this](const std::string& path, const std::string& type, const Tensor& output) {
          if (type == "MultiHeadAttention") attentions_.push_back(path);
          results_[path] = output;
        }) {}

  const std::vector<std::string>& attentions() const { return attentions_; }
  const Tensor& at(const std::string& path) const { return results_.at(path); }

  /// The results of the query, key and value layers of all attention layers, in order.
  std::vector<Tensor> projections() const {
    std::vector<Tensor> all;
    for (const std::string& attention : attentions_)
      for (const char* part : {".query", ".key", ".value"}) all.push_back(at(attention + part));
    return all;
  }

 private:
  std::vector<std::string> attentions_;
  std::map<std::string, Tensor> results_;
  nn::ForwardObserver observer_;
};

std::vector<GradientNorms> norms_of(const Results& results, const std::vector<Tensor>& gradients, int64_t step) {
  std::vector<GradientNorms> all;
  for (size_t i = 0; i < results.attentions().size(); ++i) {
    all.push_back({step, results.attentions()[i], norm(gradients[3 * i]), norm(gradients[3 * i + 1]),
                   norm(gradients[3 * i + 2])});
  }
  return all;
}

// The input of the linear layer at `path`, which its line saves for the gradient of the weight.
Tensor input_of(const Tape& tape, const std::string& path) {
  for (int32_t i = 0; i < tape.size(); ++i) {
    const LineView line = tape.line(i);
    if (line.path == path && std::string_view(line.op) == "linear") return tape.saved(i)[0].clone();
  }
  fail(fmt::format("{}: no linear layer on the tape", path));
}

// Self-attention of decoders is causal; cross-attention has no mask.
Tensor mask_of(const std::string& path, int64_t queries, int64_t keys) {
  const bool causal = path.starts_with("decoder") && path.ends_with(".attention");
  std::vector<int32_t> seen;
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t j = 0; j < keys; ++j) seen.push_back(!causal || j <= i + keys - queries ? 1 : 0);
  return Tensor::from(seen, {queries, keys});
}

AttentionLayer layer_at(const std::string& path, const nn::LayerBase& model, const Tape& tape, const Tensor& weights,
                        const Tensor& gradient) {
  AttentionLayer layer;
  layer.given["X"] = input_of(tape, path + ".query");
  if (path.ends_with(".cross")) layer.given["memory"] = input_of(tape, path + ".key");
  const NamedTensors tensors = nn::named_tensors(model);
  for (const auto& [letter, part] : {std::pair{"q", ".query"}, {"k", ".key"}, {"v", ".value"}, {"o", ".output"}}) {
    layer.given[fmt::format("W{}", letter)] = find(tensors, path + part + ".weight").clone();
    layer.given[fmt::format("b{}", letter)] = find(tensors, path + part + ".bias").clone();
  }
  layer.given["G"] = gradient.clone();
  layer.heads = weights.size(1);
  layer.mask = mask_of(path, weights.size(2), weights.size(3));
  const int64_t width = layer.given["Wq"].size(0) / layer.heads;
  layer.scale = 1 / std::sqrt(static_cast<double>(width));
  return layer;
}

// [1, H, Tq, Tk] -> [H, Tq, Tk]
Tensor of_one_example(const Tensor& weights) { return weights.clone().view(weights.shape().without(0)); }

}  // namespace

void check_layer(const nn::LayerBase& model, const std::string& chosen) {
  constexpr std::string_view kPart = ".query.weight";
  std::vector<std::string> names;
  for (const NamedTensor& x : nn::named_tensors(model))
    if (x.name.ends_with(kPart)) names.push_back(x.name.substr(0, x.name.size() - kPart.size()));
  if (std::find(names.begin(), names.end(), chosen) == names.end())
    fail(fmt::format("--layer {}: the model has {}", chosen, fmt::join(names, ", ")));
}

Captured capture(const nn::LayerBase& model, const std::function<Tensor()>& loss, const std::string& chosen) {
  check_layer(model, chosen);
  const nn::AttentionRecorder weights;
  const Results results;
  Tape tape;
  const Tensor total = loss();
  const std::vector<std::string>& names = results.attentions();
  const auto found = std::find(names.begin(), names.end(), chosen);

  std::vector<Tensor> wanted = results.projections();
  wanted.push_back(results.at(chosen));
  for (const auto& entry : weights.entries()) wanted.push_back(entry.weights);
  const std::vector<Tensor> gradients = tape.gradients(total, wanted, {.retain_tape = true});

  Captured captured;
  captured.norms = norms_of(results, gradients, 0);
  const size_t first = names.size() * 3;
  const auto& entries = weights.entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    captured.layers.push_back(
        {entries[i].path, of_one_example(entries[i].weights), of_one_example(gradients[first + 1 + i])});
  }
  captured.layer =
      layer_at(chosen, model, tape, entries[static_cast<size_t>(found - names.begin())].weights, gradients[first]);
  return captured;
}

std::vector<GradientNorms> train(const nn::LayerBase& model, int64_t steps, double learning_rate, uint64_t seed,
                                 const std::function<Tensor(int64_t step)>& loss) {
  optim::Adam optimizer(nn::parameters(model), {.betas = {0.9, 0.98}});
  const Random random(seed);
  const int64_t every = std::max<int64_t>(steps / 16, 1), warmup = steps / 10 + 1;
  std::vector<GradientNorms> norms;
  for (int64_t step = 0; step < steps; ++step) {
    const Results results;
    Tape tape(random.at(step));
    const Tensor total = loss(step);
    const std::vector<Tensor> projections = results.projections();
    tape.backward(total, {.keep = projections});
    if (step % every == 0) {
      std::vector<Tensor> gradients;
      for (const Tensor& projection : projections) gradients.push_back(tape.gradient(projection));
      for (const GradientNorms& each : norms_of(results, gradients, step)) norms.push_back(each);
    }
    const double rate = learning_rate * std::min(1.0, static_cast<double>(step + 1) / static_cast<double>(warmup));
    optimizer.set_learning_rate(rate);
    optim::clip_grad_norm(optimizer, 1.0);
    optimizer.step();
  }
  return norms;
}

double norm(const Tensor& x) {
  double squares = 0;
  for (double value : x.values()) squares += value * value;
  return std::sqrt(squares);
}

}  // namespace mixtape::attention_lab

#include "tests/golden/golden.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "nn/transformer.h"
#include "optim/optim.h"

using namespace mixtape;
using golden::Case;
using golden::File;

namespace {

struct OptimizerRow {
  std::string name;
  std::function<std::unique_ptr<optim::Optimizer>(const NamedTensors&)> make;
};

OptimizerRow sgd(const char* name, const optim::SgdOptions& options) {
  return {name, [=](const NamedTensors& parameters) { return std::make_unique<optim::Sgd>(parameters, options); }};
}
OptimizerRow adam(const char* name, const optim::AdamOptions& options) {
  return {name, [=](const NamedTensors& parameters) { return std::make_unique<optim::Adam>(parameters, options); }};
}
OptimizerRow adamw(const char* name, const optim::AdamWOptions& options) {
  return {name, [=](const NamedTensors& parameters) { return std::make_unique<optim::AdamW>(parameters, options); }};
}

std::vector<OptimizerRow> rows() {
  return {
      sgd("Sgd", {.learning_rate = 0.1}),
      sgd("Sgd.weight_decay", {.learning_rate = 0.1, .weight_decay = 0.2}),
      sgd("Sgd.momentum", {.learning_rate = 0.1, .momentum = 0.9}),
      sgd("Sgd.dampening", {.learning_rate = 0.1, .momentum = 0.8, .dampening = 0.3}),
      sgd("Sgd.nesterov", {.learning_rate = 0.1, .momentum = 0.9, .nesterov = true}),
      sgd("Sgd.all", {.learning_rate = 0.05, .momentum = 0.7, .weight_decay = 0.1, .nesterov = true}),
      adam("Adam", {.learning_rate = 0.01}),
      adam("Adam.betas", {.learning_rate = 0.02, .betas = {0.8, 0.98}, .epsilon = 1e-4}),
      adam("Adam.weight_decay", {.learning_rate = 0.01, .weight_decay = 0.3}),
      adamw("AdamW", {.learning_rate = 0.01}),
      adamw("AdamW.betas", {.learning_rate = 0.02, .betas = {0.8, 0.98}, .epsilon = 1e-4, .weight_decay = 0.3}),
  };
}

// Row `step` of a [steps, ...] tensor.
Tensor at(const Tensor& steps, int64_t step) {
  return steps.view_rows(step, step + 1).view(steps.shape().slice(1, steps.rank()));
}

void check_optimizer(const File& file, const OptimizerRow& row, DType dtype) {
  CAPTURE(row.name);
  const Case given(file, row.name, dtype);
  const NamedTensors parameters = given.group("start"), gradients = given.group("gradient"),
                     after = given.expected("after");
  REQUIRE(parameters.size() == 2);
  for (const NamedTensor& each : parameters) each.tensor.as_parameter();
  const auto optimizer = row.make(parameters);
  for (int64_t step = 0; step < 10; ++step) {
    CAPTURE(step);
    for (const auto& [name, tensor] : parameters) tensor.set_gradient(at(find(gradients, name), step).clone());
    optimizer->step();
    for (const auto& [name, tensor] : parameters) golden::check_near(name, tensor, at(find(after, name), step));
  }
}

void check_optimizers(DType dtype) {
  const File file("optimizers");
  std::set<std::string> left = file.cases();
  left.erase("step");
  for (const OptimizerRow& row : rows()) {
    REQUIRE_MESSAGE(left.erase(row.name) == 1, "there is no case " << row.name);
    check_optimizer(file, row, dtype);
  }
  for (const std::string& name : left) FAIL_CHECK("no row computes " << name);
}

void check_step(DType dtype) {
  const File file("optimizers");
  Case in(file, "step", dtype);
  Random random(1);
  const nn::Transformer model(
      {.vocab = 17, .block = {.width = 12, .heads = 3, .feed_forward = 20}, .layers = 2, .longest = 8}, random);
  nn::to(model, dtype);
  const NamedTensors parameters = nn::named_tensors(model);
  in.load(parameters);
  optim::Adam optimizer(parameters, {.learning_rate = 1e-3, .betas = {0.9, 0.98}, .epsilon = 1e-3});
  const Bounds targets = in.bounds("target_lengths");

  Tape tape;
  const Tensor logits = model(Packed{in["source"], in.bounds("source_lengths")}, Packed{in["target_in"], targets});
  const Tensor loss = cross_entropy(logits, in["target_out"], {.label_smoothing = 0.1});
  tape.backward(loss);
  in.check_gradients(tape);
  const double norm = optim::clip_grad_norm(optimizer, 1.0);
  CHECK(optimizer.step().applied);

  const NamedTensors out = in.expected("out");
  golden::check_near("logits", logits, find(out, "logits"));
  golden::check_near("loss", loss, find(out, "loss"));
  golden::check_near("gradient norm", Tensor::scalar(norm, dtype), find(out, "gradient_norm"));
  for (const auto& [name, expected] : in.expected("after")) {
    golden::check_near(name, find(parameters, name), expected);
  }
}

}  // namespace

TEST_CASE("golden: ten steps of each optimizer equal PyTorch's in f64") { check_optimizers(f64); }

TEST_CASE("golden: ten steps of each optimizer equal PyTorch's in f32") { check_optimizers(f32); }

TEST_CASE("golden: a training step of an encoder-decoder equals PyTorch's in f64") { check_step(f64); }

TEST_CASE("golden: a training step of an encoder-decoder equals PyTorch's in f32") { check_step(f32); }

TEST_CASE("golden: every optimizer is compared with PyTorch") {
  std::set<std::string> optimizers;
  for (const auto& entry : std::filesystem::directory_iterator(MIXTAPE_SOURCE_DIR "/optim")) {
    if (entry.path().extension() != ".h") continue;
    optimizers.merge(golden::declared_in(entry.path(), R"(^class (\w+) : public (?:Optimizer|Adam))"));
  }
  CHECK(optimizers.size() >= 3);
  const std::set<std::string> without = {};  // optimizers without a case
  golden::check_covers("optimizers", optimizers, without);
}

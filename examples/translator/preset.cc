#include "examples/translator/preset.h"

#include <fmt/format.h>

#include "autograd/tensors/error.h"

namespace mixtape::translator {
namespace {

// For the corpus that ships: short sentences whose words are mostly single subwords. Trains in about 90 seconds.
Preset toy() {
  Preset preset{.name = "toy",
                .vocab = 2500,
                .tokens = 1024,
                .rate = {.peak = 4e-3, .warmup = 200},
                .label_smoothing = 0.05,
                .average = 3,
                .epochs = 6};
  preset.model = {.block = {.width = 128, .heads = 4, .feed_forward = 256, .dropout = 0.05, .attention_dropout = 0.05},
                  .layers = 2};
  return preset;
}

// For Multi30k: 29,000 image captions, on which larger models overfit.
Preset multi30k() {
  Preset preset{.name = "multi30k",
                .vocab = 4000,
                .tokens = 2048,
                .rate = {.peak = 4e-3, .warmup = 1000},
                .average = 8,
                .epochs = 60};
  preset.model = {.block = {.width = 128,
                            .heads = 4,
                            .feed_forward = 256,
                            .dropout = 0.3,
                            .attention_dropout = 0.1,
                            .activation_dropout = 0.1},
                  .layers = 4};
  return preset;
}

// A small model for any data set.
Preset small() {
  Preset preset{.name = "small"};
  preset.model = {.block = {.width = 256, .heads = 4, .feed_forward = 1024, .dropout = 0.1, .attention_dropout = 0.1},
                  .layers = 3};
  return preset;
}

void check(const Preset& preset) {
  const auto at_least = [](const char* name, double value, double least) {
    if (value < least) fail(fmt::format("setting {}: {}, expected at least {}", name, value, least));
  };
  at_least("tokens", static_cast<double>(preset.tokens), 1);
  at_least("average", static_cast<double>(preset.average), 1);
  at_least("epochs", static_cast<double>(preset.epochs), 1);
  at_least("beam", static_cast<double>(preset.beam), 1);
  at_least("label_smoothing", preset.label_smoothing, 0);
  if (preset.label_smoothing >= 1) {
    fail(fmt::format("setting label_smoothing: {}, expected less than 1", preset.label_smoothing));
  }
  check(preset.rate);
  for (const auto& [name, value] : {std::pair{"dropout", preset.model.block.dropout},
                                    {"attention_dropout", preset.model.block.attention_dropout},
                                    {"activation_dropout", preset.model.block.activation_dropout}}) {
    if (!(value >= 0 && value < 1)) fail(fmt::format("setting model.{}: {}, expected 0 <= p < 1", name, value));
  }
}

}  // namespace

std::vector<std::string> preset_names() { return {"toy", "multi30k", "small"}; }

Preset find_preset(const std::string& name, const std::string& data) {
  const std::string wanted = !name.empty() ? name : (data == "tsv" ? "small" : data);
  if (wanted == "toy") return toy();
  if (wanted == "multi30k") return multi30k();
  if (wanted == "small") return small();
  fail(fmt::format("no preset {}, expected one of {}", wanted, fmt::join(preset_names(), ", ")));
}

Preset with_settings(const Preset& preset, const std::vector<std::string>& changes) {
  return read_preset(examples::Config("--set", {{"preset", examples::with_settings(to_json(preset), changes)}}));
}

Json to_json(const Preset& preset) {
  const nn::TransformerOptions& model = preset.model;
  return {{"name", preset.name},
          {"vocab", preset.vocab},
          {"model",
           {{"vocab", model.vocab},
            {"width", model.block.width},
            {"heads", model.block.heads},
            {"layers", model.layers},
            {"feed_forward", model.block.feed_forward},
            {"longest", model.longest},
            {"dropout", model.block.dropout},
            {"attention_dropout", model.block.attention_dropout},
            {"activation_dropout", model.block.activation_dropout}}},
          {"tokens", preset.tokens},
          {"learning_rate", preset.rate.peak},
          {"warmup", preset.rate.warmup},
          {"schedule", preset.rate.name},
          {"label_smoothing", preset.label_smoothing},
          {"average", preset.average},
          {"epochs", preset.epochs},
          {"beam", preset.beam},
          {"length_power", preset.length_power}};
}

Preset read_preset(const examples::Config& config) {
  Preset preset{.name = config.text("preset.name"),
                .vocab = config.integer("preset.vocab"),
                .tokens = config.integer("preset.tokens"),
                .rate = {.name = config.text("preset.schedule"),
                         .peak = config.number("preset.learning_rate"),
                         .warmup = config.integer("preset.warmup")},
                .label_smoothing = config.number("preset.label_smoothing"),
                .average = config.integer("preset.average"),
                .epochs = config.integer("preset.epochs"),
                .beam = config.integer("preset.beam"),
                .length_power = config.number("preset.length_power")};
  preset.model = {.vocab = config.integer("preset.model.vocab"),
                  .block = {.width = config.integer("preset.model.width"),
                            .heads = config.integer("preset.model.heads"),
                            .feed_forward = config.integer("preset.model.feed_forward"),
                            .dropout = config.number("preset.model.dropout"),
                            .attention_dropout = config.number("preset.model.attention_dropout"),
                            .activation_dropout = config.number("preset.model.activation_dropout")},
                  .layers = config.integer("preset.model.layers"),
                  .longest = config.integer("preset.model.longest")};
  check(preset);
  return preset;
}

}  // namespace mixtape::translator

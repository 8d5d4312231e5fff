#include "examples/attention_lab/preset.h"

#include <fmt/format.h>

#include "autograd/tensors/error.h"
#include "examples/common/run_folder.h"

namespace mixtape::attention_lab {
namespace {

// An option that the preset would ignore is an error.
void check_options(const Choice& choice, const std::string& preset) {
  const auto refuse = [&](const std::string& value, const char* option, bool taken) {
    if (!value.empty() && !taken) fail(fmt::format("{}: the preset {} does not take it", option, preset));
  };
  const bool translation = preset == "translation", image = preset == "image";
  refuse(choice.run, "--run", translation || image);
  refuse(choice.sentence, "--sentence", translation || preset == "generation");
  refuse(choice.image, "--image", image);
}

// The preset for a run, if none is named.
std::string preset_of_run(const std::string& run) {
  const std::string program = examples::RunFolder::open(run).read_config().text("program");
  if (program == "translator") return "translation";
  if (program == "vit") return "image";
  fail(fmt::format("{}: a run of {}, expected one of translator or vit", run, program));
}

void check_index(const char* option, int64_t index, int64_t count) {
  if (index < 0 || index >= count) fail(fmt::format("{} {}: expected 0 to {}", option, index, count - 1));
}

// Selects the chosen head, and shows only this one if the layer is too wide.
void choose_head(Preset& preset, int64_t head) {
  AttentionLayer& layer = preset.attention;
  check_index("--head", head, layer.heads);
  preset.head = head;
  if (layer.given.at("X").size(1) <= kWidest || layer.heads == 1) return;
  preset.about += fmt::format(" The layer is wide, so only head {} of its {} is shown, as head 0.", head, layer.heads);
  layer = only_head(layer, head);
  preset.head = 0;
}

}  // namespace

std::vector<std::string> preset_names() { return {"by-hand", "translation", "generation", "image"}; }

const data::ToyCorpus& shipped_corpus() {
  static const data::ToyCorpus corpus = data::toy_translation();
  return corpus;
}

Preset make_preset(const Choice& choice) {
  const std::string fallback = choice.run.empty() ? "by-hand" : preset_of_run(choice.run);
  const std::string name = choice.preset.empty() ? fallback : choice.preset;
  check_options(choice, name);
  Preset preset = name == "by-hand"       ? make_by_hand(choice)
                  : name == "translation" ? make_translation(choice)
                  : name == "generation"  ? make_generation(choice)
                                          : make_image(choice);
  preset.name = name;
  choose_head(preset, choice.head.value_or(preset.head));
  preset.query = choice.query.value_or(preset.query);
  check_index("--query", preset.query, std::ssize(preset.queries));
  return preset;
}

void fill(Preset& preset, const Captured& captured) {
  preset.attention = captured.layer;
  preset.weights = captured.layers;
  for (const LayerWeights& each : captured.layers) preset.layers.push_back(each.name);
  if (preset.norms.empty()) preset.norms = captured.norms;
}

void check_length(const std::string& what, int64_t tokens, int64_t longest) {
  if (tokens > longest) fail(fmt::format("{}: {} tokens, at most {} can be shown", what, tokens, longest));
}

}  // namespace mixtape::attention_lab

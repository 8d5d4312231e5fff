#include "examples/vit/inference.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include "autograd/files/json.h"
#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "data/image_file.h"
#include "nn/save.h"

namespace mixtape::vit {
namespace {

constexpr int64_t kBatchImages = 256;  // images

std::vector<float> numbers(const Json& list) {
  std::vector<float> result;
  for (const Json& each : list.get<Json::Array>()) result.push_back(static_cast<float>(each.number()));
  return result;
}

// What train saved about the data. It can only mismatch if the file was edited.
void read_data(const examples::Config& config, Classifier& classifier) {
  for (const Json& each : config.values().at("classes").get<Json::Array>())
    classifier.classes.push_back(each.get<std::string>());
  classifier.normalization = {numbers(config.values().at("mean")), numbers(config.values().at("deviation"))};
  const nn::VisionTransformerOptions& model = classifier.preset.model;
  if (std::ssize(classifier.classes) != model.classes || std::ssize(classifier.normalization.mean) != model.channels) {
    fail("config.json: the lists classes and mean do not fit the model");
  }
}

}  // namespace

Classifier load_classifier(const examples::RunFolder& run) {
  const examples::Config config = run.read_config();
  config.expect("program", "vit");
  const Preset preset = read_preset(config);
  if (!std::filesystem::exists(run.model())) {
    fail(fmt::format("{}: the training has not finished (no model.safetensors); go on with it: vit train --resume",
                     run.path()));
  }
  Random random(0);
  Classifier classifier{preset, {}, {}, nn::VisionTransformer(preset.model, random)};
  read_data(config, classifier);
  nn::load(classifier.model, run.model());
  return classifier;
}

data::Classification classify(const nn::VisionTransformer& model, const data::ImageSet& images,
                              const data::Normalization& normalization) {
  data::Classification result(model.options.classes);
  const data::ImageBatchOptions in_order{.images = kBatchImages, .shuffle = false, .drop_last = false};
  for (const data::ImageBatch& batch : data::image_batches(images, normalization, in_order))
    result.add(model(batch.images), batch.labels);
  return result;
}

Prediction predict(const Classifier& classifier, const data::Image& image) {
  const nn::VisionTransformerOptions& model = classifier.preset.model;
  data::ImageSet one{model.image_height, model.image_width, model.channels, {}, {0}, classifier.classes};
  one.pixels = data::fit(image, model.image_height, model.image_width).pixels;
  const std::vector<double> shares =
      softmax(classifier.model(data::to_tensor(one, {0}, classifier.normalization))).values();
  const auto best = std::max_element(shares.begin(), shares.end());
  return {classifier.classes[static_cast<size_t>(best - shares.begin())], *best};
}

}  // namespace mixtape::vit

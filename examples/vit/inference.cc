#include "examples/vit/inference.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "autograd/error.h"
#include "autograd/ops.h"
#include "data/image_file.h"
#include "nn/save.h"

namespace mixtape::vit {
namespace {

constexpr int64_t kTogether = 256;  // images

// What train wrote of the data; only a file that somebody has changed does not fit.
void read_data(const examples::Config& config, Classifier& classifier) {
  const auto& values = config.values();
  try {
    classifier.classes = values.at("classes").get<std::vector<std::string>>();
    classifier.normalization.mean = values.at("mean").get<std::vector<float>>();
    classifier.normalization.deviation = values.at("deviation").get<std::vector<float>>();
  } catch (const nlohmann::json::exception&) {
    fail("config.json: expected lists classes, mean and deviation");
  }
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
  const data::ImageBatchOptions in_order{.images = kTogether, .shuffle = false, .drop_last = false};
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

#pragma once

#include <string>
#include <vector>

#include "data/classification.h"
#include "data/image_batches.h"
#include "data/images.h"
#include "examples/common/run_folder.h"
#include "examples/vit/preset.h"
#include "nn/vision_transformer.h"

namespace mixtape::vit {

/// A trained classifier, loaded from its run folder.
struct Classifier {
  Preset preset;
  std::vector<std::string> classes;  ///< their names
  data::Normalization normalization;
  nn::VisionTransformer model;
};

/// Reads config.json and model.safetensors. Throws one line if the run belongs to another program, has not finished, or
/// is damaged.
Classifier load_classifier(const examples::RunFolder& run);

/// Classifies labelled images, in order.
data::Classification classify(const nn::VisionTransformer& model, const data::ImageSet& images,
                              const data::Normalization& normalization);

struct Prediction {
  std::string label;
  double probability = 0;
};

/// The most probable class of one image of any size, which is fitted to that of the model.
Prediction predict(const Classifier& classifier, const data::Image& image);

}  // namespace mixtape::vit

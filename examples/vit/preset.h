#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/augment.h"
#include "examples/common/plan.h"
#include "nn/vision_transformer.h"

namespace mixtape::vit {

/// All that shapes a training run beside the data, the seed and its length. Written to the run folder's config.json.
struct Preset {
  std::string name;
  nn::VisionTransformerOptions model = {};  ///< image sizes and classes are those of the data
  int64_t batch = 128;                      ///< images
  examples::RateSchedule rate = {};
  double weight_decay = 0.05;
  double label_smoothing = 0.1;
  data::AugmentOptions augment = {};
  double mixup = 0;           ///< alpha, see data::ImageBatchOptions
  double cutmix = 0;          ///< alpha
  double moving_average = 0;  ///< decay of the average over the steps whose weights are validated and kept; 0: none
  int64_t validation = 0;     ///< training images that are held out to choose by
  int64_t best = 1;           ///< states that are kept, by accuracy on those; the model is their mean
  int64_t patience = 0;       ///< training ends after so many epochs without a better accuracy; 0: it does not
  int64_t epochs = 10;        ///< when neither steps, epochs nor minutes are given
};

/// The settings of that name; with an empty name those that fit the data. Throws if there are none.
Preset find_preset(const std::string& name, const std::string& data);
std::vector<std::string> preset_names();
/// `preset` with --set's changes, by the names that config.json has.
Preset with_settings(const Preset& preset, const std::vector<std::string>& changes);

/// As config.json holds it, and back.
Json to_json(const Preset& preset);
Preset read_preset(const examples::Config& config);

}  // namespace mixtape::vit

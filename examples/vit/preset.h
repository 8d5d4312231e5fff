#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/augment.h"
#include "examples/common/plan.h"
#include "nn/vision_transformer.h"

namespace mixtape::vit {

/// The settings of a training run besides data, seed and length. Saved in config.json of the run folder.
struct Preset {
  std::string name;
  nn::VisionTransformerOptions model = {};  ///< image sizes and classes follow from the data
  int64_t batch = 128;                      ///< images
  examples::RateSchedule rate = {};
  double weight_decay = 0.05;
  double label_smoothing = 0.1;
  data::AugmentOptions augment = {};
  double mixup = 0;           ///< alpha, see data::ImageBatchOptions
  double cutmix = 0;          ///< alpha
  double moving_average = 0;  ///< decay of the moving average of the weights, which is what is validated; 0: none
  int64_t validation = 0;     ///< training images held out for model selection
  int64_t best = 1;  ///< the final model is the mean of so many snapshots, those with the highest validation accuracy
  int64_t patience = 0;  ///< stop after so many epochs without a better accuracy; 0: never
  int64_t epochs = 10;   ///< if neither steps, epochs nor minutes are given
};

/// The settings of that name, or, if it is empty, those for the data. Throws if there are none.
Preset find_preset(const std::string& name, const std::string& data);
std::vector<std::string> preset_names();
/// `preset` with the changes of --set, by the names of config.json.
Preset with_settings(const Preset& preset, const std::vector<std::string>& changes);

/// To and from the form in config.json.
Json to_json(const Preset& preset);
Preset read_preset(const examples::Config& config);

}  // namespace mixtape::vit

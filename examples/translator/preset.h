#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/common/plan.h"
#include "nn/transformer.h"

namespace mixtape::translator {

/// The settings of a training run besides data, seed and length. Saved in config.json of the run folder.
struct Preset {
  std::string name;
  int64_t vocab = 8000;  ///< subwords, shared by both languages
  nn::TransformerOptions model = {};
  int64_t tokens = 4096;  ///< per batch
  examples::RateSchedule rate = {};
  double label_smoothing = 0.1;
  int64_t average = 5;  ///< snapshots in the final model
  int64_t epochs = 10;  ///< if neither steps, epochs nor minutes are given
  int64_t beam = 5;     ///< if --beam is not given
  double length_power = 1;
};

/// The settings of that name, or, if it is empty, those for the data. Throws if there are none.
Preset find_preset(const std::string& name, const std::string& data);
std::vector<std::string> preset_names();
/// `preset` with the changes of --set, by the names of config.json.
Preset with_settings(const Preset& preset, const std::vector<std::string>& changes);

/// To and from the form in config.json. The actual size of the vocabulary is `vocab` of the model.
Json to_json(const Preset& preset);
Preset read_preset(const examples::Config& config);

}  // namespace mixtape::translator

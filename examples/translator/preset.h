#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/common/plan.h"
#include "nn/transformer.h"

namespace mixtape::translator {

/// All that shapes a training run beside the data, the seed and its length. Written to the run folder's config.json.
struct Preset {
  std::string name;
  int64_t vocab = 8000;  ///< subwords, of both languages together
  nn::TransformerOptions model = {};
  int64_t tokens = 4096;  ///< budget of a batch
  examples::RateSchedule rate = {};
  double label_smoothing = 0.1;
  int64_t average = 5;  ///< snapshots in the final model
  int64_t epochs = 10;  ///< when neither steps, epochs nor minutes are given
  int64_t beam = 5;     ///< when it is not given
  double length_power = 1;
};

/// The settings of that name; with an empty name those that fit the data. Throws if there are none.
Preset find_preset(const std::string& name, const std::string& data);
std::vector<std::string> preset_names();
/// `preset` with --set's changes, by the names that config.json has.
Preset with_settings(const Preset& preset, const std::vector<std::string>& changes);

/// As config.json holds it, and back. The vocabulary's real size is the model's `vocab`.
Json to_json(const Preset& preset);
Preset read_preset(const examples::Config& config);

}  // namespace mixtape::translator

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/subwords.h"
#include "examples/common/run_folder.h"
#include "examples/translator/preset.h"
#include "nn/transformer.h"

namespace mixtape::translator {

/// A trained translator, as its run folder holds it.
struct Translator {
  Preset preset;
  data::Subwords subwords;
  nn::Transformer model;
};

/// Reads config.json, the tokenizer and model.safetensors. Throws one line if the run is another program's, has not
/// finished, or is damaged.
Translator load_translator(const examples::RunFolder& run);

struct DecodeOptions {
  int64_t beam = 5;
  double length_power = 1;
};

/// Translates each line; an empty line gives an empty one. Lines of like length are decoded together. `done` is told
/// how many are. Throws, naming the line, if one is longer than the model's positions.
std::vector<std::string> translate(const nn::Transformer& model, const data::Subwords& subwords,
                                   const std::vector<std::string>& lines, const DecodeOptions& options,
                                   const std::function<void(int64_t done)>& done = {});

}  // namespace mixtape::translator

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/subwords.h"
#include "examples/common/run_folder.h"
#include "examples/translator/preset.h"
#include "nn/transformer.h"

namespace mixtape::translator {

/// A trained translator, loaded from its run folder.
struct Translator {
  Preset preset;
  data::Subwords subwords;
  nn::Transformer model;
};

/// Reads config.json, the tokenizer and model.safetensors. Throws one line if the run belongs to another program, has
/// not finished, or is damaged.
Translator load_translator(const examples::RunFolder& run);

struct DecodeOptions {
  int64_t beam = 5;
  double length_power = 1;
};

/// Translates each line; an empty line stays empty. Lines of similar length are decoded in one batch. `done` is called
/// with the number of lines done. Throws, with the number of the line, if a line has more tokens than the model has
/// positions.
std::vector<std::string> translate(const nn::Transformer& model, const data::Subwords& subwords,
                                   const std::vector<std::string>& lines, const DecodeOptions& options,
                                   const std::function<void(int64_t done)>& done = {});

}  // namespace mixtape::translator

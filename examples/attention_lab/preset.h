#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/toy_translation.h"
#include "examples/attention_lab/capture.h"
#include "examples/attention_lab/layer.h"

namespace mixtape::attention_lab {

constexpr int64_t kLongestText = 16;   ///< tokens shown
constexpr int64_t kLongestImage = 17;  ///< the class token and 4 x 4 patches
constexpr int64_t kWidest = 32;        ///< one head is shown of a wider layer

constexpr int64_t kTrainingSteps = 400;  ///< of the models that the lab trains itself

/// The options of the command line.
struct Choice {
  std::string preset;  ///< by-hand, translation, generation or image
  std::string run;     ///< folder of a finished training; empty: the lab trains a small model
  std::string sentence, image;
  std::string layer;  ///< empty: the default of the preset, likewise below
  std::optional<int64_t> head, query;
};

struct Picture {
  std::string uri;                ///< `data:image/png;base64,...`
  int64_t rows = 0, columns = 0;  ///< of patches
};

/// An attention layer with numbers, and their source.
struct Preset {
  std::string name = {}, title = {};
  std::string about = {};                            ///< the source of the numbers
  std::string kind = {};                             ///< text, characters or image
  std::vector<std::string> queries = {}, keys = {};  ///< a label for each
  std::optional<Picture> picture = {};
  std::string layer = {};
  std::vector<std::string> layers = {};  ///< all attention layers of the model
  int64_t head = 0, query = 0;           ///< what is shown; `head` is an index into the heads of `attention`
  AttentionLayer attention = {};
  std::vector<LayerWeights> weights = {};  ///< of all layers
  std::vector<GradientNorms> norms = {};   ///< over training, if the lab trained the model
};

std::vector<std::string> preset_names();

/// The corpus that ships, which the text models of the lab are trained on. Generated once, which takes a second.
const data::ToyCorpus& shipped_corpus();

/// Makes the preset: trains or loads its model, and captures the layer. Throws one line if the choice is invalid:
/// options of another preset, a sentence that is too long, a run of another program, an unknown layer, a head or query
/// out of range, a missing or damaged file.
Preset make_preset(const Choice& choice);

/// The parts of make_preset. Their results have labels and picture, and the choice of layer.
Preset make_by_hand(const Choice& choice);
Preset make_translation(const Choice& choice);
Preset make_generation(const Choice& choice);
Preset make_image(const Choice& choice);

/// Sets layer, weights and, if it has none yet, norms from `captured`.
void fill(Preset& preset, const Captured& captured);

/// Throws unless a sequence of so many tokens can be shown.
void check_length(const std::string& what, int64_t tokens, int64_t longest = kLongestText);

}  // namespace mixtape::attention_lab

#pragma once

#include <string>
#include <vector>

#include "data/parallel_text.h"
#include "examples/common/run_folder.h"
#include "examples/translator/inference.h"

namespace mixtape::translator {

/// A sentence, its reference, and its translation by the model.
struct Sample {
  std::string source, reference, translation;
};

/// The final scores, for the report and the last lines of output.
struct Scores {
  std::string on = {};                         ///< the part of the data: `test` or `val`
  double bleu = 0, chrf = 0, exact_match = 0;  ///< exact_match is a fraction, 0 to 1
  std::string signature = {};
  int64_t sentences = 0;
};

/// Writes report.html of the run: curves of loss, learning rate and BLEU, settings, sample translations, and the
/// attention of every head for the first few samples. The file is self-contained.
void write_report(const examples::RunFolder& run, const Translator& translator, const Scores& scores,
                  const std::vector<Sample>& samples);

}  // namespace mixtape::translator

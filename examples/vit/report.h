#pragma once

#include <string>

#include "data/classification.h"
#include "data/images.h"
#include "examples/common/run_folder.h"
#include "examples/vit/inference.h"

namespace mixtape::vit {

/// Writes report.html: results and training curves, the confusion matrix, images of the most confident mistakes, and
/// for some images what the class token attends to, by head and layer, and attention rollout. `result` is that of
/// classify for `images`, which are the split `part` of the data.
void write_report(const examples::RunFolder& run, const Classifier& classifier, const data::ImageSet& images,
                  const std::string& part, const data::Classification& result);

}  // namespace mixtape::vit

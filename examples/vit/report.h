#pragma once

#include <string>

#include "data/classification.h"
#include "data/images.h"
#include "examples/common/run_folder.h"
#include "examples/vit/inference.h"

namespace mixtape::vit {

/// Writes report.html: the result and the training's curves, the confusion matrix, the most confident mistakes as
/// pictures, and for some images what the class token attends to, by head and layer, and attention rollout. `result` is
/// what classify made of `images`, which are the data's `part`.
void write_report(const examples::RunFolder& run, const Classifier& classifier, const data::ImageSet& images,
                  const std::string& part, const data::Classification& result);

}  // namespace mixtape::vit

#pragma once

#include "examples/common/train_options.h"

namespace mixtape::vit {

/// `vit train`: reads the data, trains or resumes in the run folder, writes model and report. `started` is when the
/// program started, on the clock of examples::seconds_now().
void run_train(const examples::TrainOptions& options, double started);

}  // namespace mixtape::vit

#pragma once

#include <string>

#include "examples/common/train_options.h"

namespace mixtape::translator {

/// `translator train`: prepares the run folder, trains, decodes, writes the report, prints a few translations and the
/// scores. `started` is when the program started, on the clock of examples::seconds_now().
void run_train(const examples::TrainOptions& options, const std::string& pair, double started);

}  // namespace mixtape::translator

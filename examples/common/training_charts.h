#pragma once

#include <string>
#include <vector>

#include "examples/common/html.h"
#include "examples/common/metrics.h"

namespace mixtape::examples {

/// The values that the curves show: `score` is the validation score, `item` what is counted, such as `image`.
struct TrainingCharts {
  std::string item;
  std::string training_loss;  ///< a note on the training loss: `smoothed labels`
  std::string score, score_title, score_unit;
};

/// Loss, score, learning rate, gradient norm and speed over the steps of a run.
Html training_charts(const std::vector<Metrics>& rows, const TrainingCharts& charts);

}  // namespace mixtape::examples

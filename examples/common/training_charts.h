#pragma once

#include <string>
#include <vector>

#include "examples/common/html.h"
#include "examples/common/metrics.h"

namespace mixtape::examples {

/// What the curves of a training show: `score` is the value that validation is judged by, `item` what is counted, such
/// as `image`.
struct TrainingCharts {
  std::string item;
  std::string training_loss;  ///< what is special about the loss of training: `smoothed labels`
  std::string score, score_title, score_unit;
};

/// Loss, score, learning rate, gradient norm and speed over the steps of a run.
Html training_charts(const std::vector<Metrics>& rows, const TrainingCharts& charts);

}  // namespace mixtape::examples

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/files/json.h"
#include "autograd/tensors/dtype.h"
#include "examples/common/config.h"
#include "examples/common/train_options.h"

namespace mixtape::examples {

/// What determines a run besides its data and settings. Fixed when the run begins, and stored in its config.json.
struct Plan {
  std::string data;
  uint64_t seed = 0;
  int64_t steps = 0, epochs = 0;  ///< the first of steps, epochs and minutes that is not 0 applies
  double minutes = 0;
  DType dtype = f32;  ///< compute precision of matrix products: f32 or bf16
};

/// The plan of a new run. Without --steps, --epochs and --minutes it lasts `epochs` epochs.
Plan new_plan(const TrainOptions& options, int64_t epochs);

/// The plan of a run that resumes; --steps, --epochs or --minutes are its new total. Throws if the program, the data or
/// the dtype differs from that of the folder, or if settings are changed.
Plan read_plan(const Config& config, const std::string& program, const TrainOptions& options);

/// The plan as in config.json.
Json to_json(const Plan& plan, const std::string& program);

/// `settings`, a JSON object that may be nested, with changes such as `learning_rate=0.004` or `model.width=96`. Throws
/// if a name is unknown, listing the known ones, or a value has the wrong type.
Json with_settings(const Json& settings, const std::vector<std::string>& changes);

/// The learning-rate schedule.
struct RateSchedule {
  std::string name = "cosine";  ///< or `inverse-square-root`, which does not depend on the total
  double peak = 1e-3;
  int64_t warmup = 400;  ///< steps; at most a quarter of the total

  /// The rate of a step, counted from 1. A cosine ends at 1/50 of the peak; it stays at the peak while the total is
  /// unknown (0).
  double operator()(int64_t step, int64_t total) const;
};

/// Throws unless the name is known and the numbers are in range.
void check(const RateSchedule& schedule);

}  // namespace mixtape::examples

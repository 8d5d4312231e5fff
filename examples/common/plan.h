#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/dtype.h"
#include "autograd/json.h"
#include "examples/common/config.h"
#include "examples/common/train_options.h"

namespace mixtape::examples {

/// What a run is a function of beside its data and its settings; fixed when it begins, and kept in its config.json.
struct Plan {
  std::string data;
  uint64_t seed = 0;
  int64_t steps = 0, epochs = 0;  ///< the first of steps, epochs and minutes that is not 0 counts
  double minutes = 0;
  DType dtype = f32;  ///< what matrix products multiply: f32 or bf16
};

/// The plan of a new run. Without --steps, --epochs and --minutes it lasts `epochs` epochs.
Plan new_plan(const TrainOptions& options, int64_t epochs);

/// The plan of a run that is gone on with; --steps, --epochs or --minutes are its new total. Throws if the folder is of
/// another program, other data or another dtype, or if settings are to be changed.
Plan read_plan(const Config& config, const std::string& program, const TrainOptions& options);

/// What config.json holds of it.
Json to_json(const Plan& plan, const std::string& program);

/// `settings`, a JSON object that may hold others, with changes such as `learning_rate=0.004` or `model.width=96`.
/// Throws if a name is unknown, listing those there are, or a value is not of its kind.
Json with_settings(const Json& settings, const std::vector<std::string>& changes);

/// How the learning rate moves.
struct RateSchedule {
  std::string name = "cosine";  ///< or `inverse-square-root`, which does not depend on the total
  double peak = 1e-3;
  int64_t warmup = 400;  ///< steps; at most a quarter of the total

  /// The rate of a step, counted from 1. A cosine ends at a fiftieth of the peak; it stays at the peak while the total
  /// is not known (0).
  double operator()(int64_t step, int64_t total) const;
};

/// Throws unless the schedule has a name that is known, and its numbers can be.
void check(const RateSchedule& schedule);

}  // namespace mixtape::examples

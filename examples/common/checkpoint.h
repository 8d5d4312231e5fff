#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include "autograd/files/named_tensors.h"

namespace mixtape::examples {

/// The state of a training run besides its tensors. A resume restores all of it.
struct TrainingState {
  int64_t step = 0;    ///< steps done
  int64_t total = 0;   ///< steps of the whole run; 0 while unknown (--minutes, until the first steps are timed)
  int64_t epoch = 0;   ///< of the next batch
  int64_t batch = 0;   ///< number of the next batch within its epoch
  double seconds = 0;  ///< of training, earlier processes included

  int64_t evaluated = 0;                                   ///< the step of the last evaluation; 0: none yet
  double best = -std::numeric_limits<double>::infinity();  ///< the highest score so far
  int64_t since_best = 0;                                  ///< evaluations since then
};

/// Groups of tensors by name: `model`, `optimizer`, `average`.
using TensorGroups = std::map<std::string, NamedTensors>;

/// Writes a checkpoint atomically: one safetensors file with `model.embedding.weight` and so on.
void save_checkpoint(const std::string& path, const TrainingState& state, const TensorGroups& groups);

struct Checkpoint {
  TrainingState state;
  TensorGroups groups;
};

/// Reads a checkpoint. Throws one line, with the path, if it is missing, damaged or no checkpoint.
Checkpoint load_checkpoint(const std::string& path);

}  // namespace mixtape::examples

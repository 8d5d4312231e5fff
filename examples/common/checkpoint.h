#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include "autograd/named_tensors.h"

namespace mixtape::examples {

/// Where a training run stands, beside its tensors. All of it comes back on a resume, so that the run goes on as if
/// never stopped.
struct TrainingState {
  int64_t step = 0;    ///< steps done
  int64_t total = 0;   ///< steps to do; 0 while it is not known yet (--minutes, before the first steps have been timed)
  int64_t epoch = 0;   ///< of the next batch
  int64_t batch = 0;   ///< number of the next batch within its epoch
  double seconds = 0;  ///< spent in training, earlier processes included

  int64_t evaluated = 0;  ///< the step after which validation data was last looked at; 0: not yet
  double best = -std::numeric_limits<double>::infinity();  ///< the highest score so far
  int64_t since_best = 0;                                  ///< evaluations after that one
};

/// Groups of tensors by name: `model`, `optimizer`, `average`.
using TensorGroups = std::map<std::string, NamedTensors>;

/// Writes a checkpoint: one safetensors file, `model.embedding.weight` and so on, whole or not there.
void save_checkpoint(const std::string& path, const TrainingState& state, const TensorGroups& groups);

struct Checkpoint {
  TrainingState state;
  TensorGroups groups;
};

/// Reads one. Throws one line, with the path, if it is missing, damaged or no checkpoint.
Checkpoint load_checkpoint(const std::string& path);

}  // namespace mixtape::examples

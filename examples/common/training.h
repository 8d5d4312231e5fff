#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "autograd/named_tensors.h"
#include "autograd/random.h"
#include "autograd/tape.h"
#include "examples/common/checkpoint.h"
#include "examples/common/metrics.h"
#include "examples/common/run_folder.h"
#include "optim/average.h"
#include "optim/optimizer.h"

namespace mixtape::examples {

/// What a step worked on, and what came out.
struct StepLoss {
  Tensor loss;        ///< scalar, on the tape of the step
  int64_t items = 0;  ///< tokens or images, for the rate
};

/// The batches of one epoch from a given one on. Calls `step` for each until it returns false. Returns the number of
/// batches in the epoch.
using EpochLoop = std::function<int64_t(int64_t epoch, int64_t first_batch,
                                        const std::function<bool(const std::function<StepLoss()>& forward)>& step)>;

/// What a program has to say about its training; `train` does the rest.
struct Training {
  RunFolder& run;
  NamedTensors tensors;  ///< of the model, parameters and buffers
  optim::Optimizer& optimizer;
  optim::CheckpointAverage& average;  ///< gets a snapshot with each evaluation; the run's model is its mean
  optim::MovingAverage* moving_average = nullptr;  ///< if there is one, snapshots are of it
  uint64_t seed = 0;
  DType dtype = f32;  ///< of the factors of matrix products: f32, or bf16 for mixed precision
  std::string unit = "tokens";
  double clip = 1.0;  ///< global norm

  EpochLoop epoch;
  std::function<double(int64_t step, int64_t total)> learning_rate;  ///< total is 0 while it is not known
  /// Measures on validation data; its values go to the metrics. Called under the weights that the model would have if
  /// training ended now: the mean of the last snapshots, or the new one where the best are kept.
  std::function<std::map<std::string, double>()> evaluate;
  int64_t evaluate_every = 0;  ///< steps; 0: after each epoch. In any case after the last step
  std::string score = {};      ///< the value by which the best are kept; higher is better
  int64_t patience = 0;        ///< training ends after so many evaluations without a better score; 0: it does not

  /// How long: the first that is not 0 counts.
  int64_t steps = 0;
  int64_t epochs = 0;
  double minutes = 0;
  double reserve = 0.05;    ///< the share of `minutes` that is kept back
  int64_t epoch_steps = 0;  ///< in an epoch, to allow for the time of its evaluation; 0: not known
  double conclusion = 0;    ///< how long what comes after training takes, in evaluations

  double started = 0;              ///< when the program started, on the clock of seconds_now()
  double checkpoint_seconds = 30;  ///< how often the state is saved
  std::string go_on;               ///< the command that resumes, for the message after Ctrl-C
};

/// Seconds of a steady clock.
double seconds_now();

/// Trains until done, from the start or from the run folder's checkpoint: progress on stderr, metrics.jsonl,
/// checkpoints, validation. At the end the tensors hold the average of the snapshots, and they are saved as the run's
/// model.safetensors. After Ctrl-C saves a checkpoint, says how to go on, and throws Exit{130}. Returns where the
/// run stands.
TrainingState train(const Training& training, bool resume);

}  // namespace mixtape::examples

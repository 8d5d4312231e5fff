#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "autograd/files/named_tensors.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/random.h"
#include "examples/common/checkpoint.h"
#include "examples/common/metrics.h"
#include "examples/common/run_folder.h"
#include "optim/average.h"
#include "optim/optimizer.h"

namespace mixtape::examples {

/// The result of a training step.
struct StepLoss {
  Tensor loss;        ///< scalar, on the tape of the step
  int64_t items = 0;  ///< tokens or images, for the rate
};

/// Calls `step` for the batches of one epoch, from a given one on, until it returns false. Returns the number of
/// batches in the epoch.
using EpochLoop = std::function<int64_t(int64_t epoch, int64_t first_batch,
                                        const std::function<bool(const std::function<StepLoss()>& forward)>& step)>;

/// The description of a training; `train` does the rest.
struct Training {
  RunFolder& run;
  NamedTensors tensors;  ///< of the model, parameters and buffers
  optim::Optimizer& optimizer;
  optim::CheckpointAverage& average;               ///< gets a snapshot at each evaluation; the final model is its mean
  optim::MovingAverage* moving_average = nullptr;  ///< if set, snapshots are taken of it
  uint64_t seed = 0;
  DType dtype = f32;  ///< compute precision of matrix products: f32, or bf16 for mixed precision
  std::string unit = "tokens";
  double clip = 1.0;  ///< global norm

  EpochLoop epoch;
  std::function<double(int64_t step, int64_t total)> learning_rate;  ///< total is 0 while unknown
  /// Evaluates on validation data, for the metrics. The weights are those of the final model if training ended now: the
  /// mean of the last snapshots, or, for Select::best, the new snapshot.
  std::function<std::map<std::string, double>()> evaluate;
  int64_t evaluate_every = 0;  ///< steps; 0: after each epoch. Always after the last step
  std::string score = {};      ///< the value that Select::best goes by; higher is better
  int64_t patience = 0;        ///< stop after so many evaluations without a better score; 0: never

  /// The length of training: the first that is not 0 applies.
  int64_t steps = 0;
  int64_t epochs = 0;
  double minutes = 0;
  double reserve = 0.05;    ///< the fraction of `minutes` held in reserve
  int64_t epoch_steps = 0;  ///< steps of an epoch, to plan for evaluations; 0: unknown
  double conclusion = 0;    ///< time needed after training, in evaluations

  double started = 0;              ///< when the program started, on the clock of seconds_now()
  double checkpoint_seconds = 30;  ///< how often the state is saved
  std::string resume_command;      ///< the command that resumes, for the message after Ctrl-C
};

/// Seconds of a steady clock.
double seconds_now();

/// Trains until done, from the start or from the run folder's checkpoint: progress on stderr, metrics.jsonl,
/// checkpoints, validation. In the end the tensors are set to the average of the snapshots and saved as
/// model.safetensors. After Ctrl-C, saves a checkpoint, prints how to resume, and throws Exit{130}. Returns the state
/// of the run.
TrainingState train(const Training& training, bool resume);

}  // namespace mixtape::examples

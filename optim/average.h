#pragma once

#include <cstdint>
#include <vector>

#include "autograd/files/named_tensors.h"

namespace mixtape::optim {

/// The snapshots that a CheckpointAverage is made of.
enum class Select {
  last,  ///< the latest
  best   ///< those with the highest scores; the older of equal ones
};

/// The mean of several states of a model, which often generalises better than any one of them. Select::last: Vaswani et
/// al. 2017, "Attention Is All You Need", section 6.1 (the last 5 checkpoints); Izmailov et al. 2018, "Averaging
/// Weights Leads to Wider Optima and Better Generalization". Select::best: with a score on validation data; with a
/// count of 1, it is the best state.
class CheckpointAverage {
 public:
  /// At most `count` snapshots. Throws unless count >= 1.
  explicit CheckpointAverage(int64_t count, Select select = Select::last);

  Select select() const { return select_; }
  /// Adds a snapshot, as a copy. If there are `count` already, it replaces the oldest, or, for Select::best, the worst
  /// if that is worse. Throws, changing nothing, if names or shapes differ from the first snapshot, or the score is
  /// NaN.
  void add(const NamedTensors& parameters, double score = 0);
  /// The number of snapshots.
  int64_t size() const { return static_cast<int64_t>(snapshots_.size()); }
  /// Their mean, accumulated in double, in the dtype of the first snapshot; index tensors are those of the latest.
  /// Throws if there is no snapshot.
  NamedTensors average() const;

  /// The snapshots as handles, the oldest first, and their scores: `snapshot.0.<parameter>`, ..., `scores`.
  NamedTensors state() const;
  /// Copies a saved state into this one. Throws, changing nothing, if a name is not of this form, snapshots differ in
  /// names or shapes, there are more than `count`, or the number of scores differs.
  void load_state(const NamedTensors& state);

 private:
  struct Snapshot {
    NamedTensors tensors;
    double score = 0;
  };
  std::vector<Snapshot>::iterator to_replace(double score);

  size_t count_;
  Select select_;
  std::vector<Snapshot> snapshots_;  // the oldest first
};

struct MovingAverageOptions {
  double decay = 0.999;
  /// Smaller decay initially: min(decay, (1 + t) / (10 + t)) at update t.
  bool warmup = false;
};

/// An exponential moving average of a model's parameters, called after every step:
///
///   average <- decay average + (1 - decay) parameter
///
/// starting from the parameters at construction. It is stored in f64 (index tensors are copied), since with a decay
/// near 1 the updates are too small for f32. Polyak and Juditsky 1992, "Acceleration of Stochastic Approximation by
/// Averaging".
class MovingAverage {
 public:
  /// Throws unless 0 <= decay < 1.
  explicit MovingAverage(const NamedTensors& parameters, const MovingAverageOptions& options = {});

  /// Updates the average with the current parameters. Allocates nothing. Throws if the shape of one has changed.
  void update();
  /// The average under the names of the parameters, as handles: the next update() changes them.
  const NamedTensors& average() const { return average_; }

  /// `average.mean.<parameter>` and `average.updates`, as handles.
  NamedTensors state() const;
  /// Copies a saved state into this one. Throws, changing nothing, if names or shapes differ.
  void load_state(const NamedTensors& state);

 private:
  NamedTensors parameters_;
  NamedTensors average_;
  Tensor updates_;
  MovingAverageOptions options_;
};

/// Replaces the parameters of a model, to evaluate it with others, and restores its own bit for bit when destroyed:
///
///   optim::TemporaryParameters with(average.average(), nn::parameters(model));
///   evaluate(model);
///
/// To replace them permanently: copy_into(average.average(), nn::parameters(model), "average").
class TemporaryParameters {
 public:
  /// Throws, changing nothing, if names or shapes differ.
  TemporaryParameters(const NamedTensors& values, const NamedTensors& parameters);
  ~TemporaryParameters();
  TemporaryParameters(const TemporaryParameters&) = delete;
  TemporaryParameters& operator=(const TemporaryParameters&) = delete;

 private:
  NamedTensors parameters_;
  NamedTensors own_;
};

}  // namespace mixtape::optim

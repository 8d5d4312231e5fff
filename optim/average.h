#pragma once

#include <cstdint>
#include <vector>

#include "autograd/named_tensors.h"

namespace mixtape::optim {

/// Which snapshots a CheckpointAverage keeps when it has enough of them.
enum class Keep {
  last,  ///< the newest
  best   ///< those with the highest scores; of equals, the older
};

/// The mean of a few states of a model, which often predicts better than any one of them. Of the last: Vaswani et al.
/// 2017, "Attention Is All You Need", section 6.1 (the last 5 checkpoints); Izmailov et al. 2018, "Averaging Weights
/// Leads to Wider Optima and Better Generalization". Of the best: Keep::best with a score from validation data; of one,
/// that is the best state itself.
class CheckpointAverage {
 public:
  /// Of at most `count` snapshots. Throws unless count >= 1.
  explicit CheckpointAverage(int64_t count, Keep keep = Keep::last);

  Keep keep() const { return keep_; }
  /// Offers a snapshot, a copy of the numbers; if there are `count` already it takes the place of the oldest, or of the
  /// worst if that is worse. Throws, changing nothing, if names or shapes differ from the first time, or if the score
  /// is NaN.
  void add(const NamedTensors& parameters, double score = 0);
  /// How many snapshots are held.
  int64_t size() const { return static_cast<int64_t>(snapshots_.size()); }
  /// Their mean, added up in double, in the dtype of the first snapshot; of index tensors, the newest. Throws if there
  /// is none.
  NamedTensors average() const;

  /// The snapshots as handles, from the oldest on, and their scores: `snapshot.0.<parameter>`, ..., `scores`.
  NamedTensors state() const;
  /// Takes a copy of a saved state. Throws, changing nothing, if a name is not of this form, snapshots differ in names
  /// or shapes, there are more than `count`, or there are not as many scores.
  void load_state(const NamedTensors& state);

 private:
  struct Snapshot {
    NamedTensors tensors;
    double score = 0;
  };
  std::vector<Snapshot>::iterator to_replace(double score);

  size_t count_;
  Keep keep_;
  std::vector<Snapshot> snapshots_;  // from the oldest on
};

struct MovingAverageOptions {
  double decay = 0.999;
  /// Forget the first, poor parameters faster: the decay of update t is min(decay, (1 + t) / (10 + t)).
  bool warmup = false;
};

/// An exponential moving average of a model's parameters, called after every step:
///
///   average <- decay average + (1 - decay) parameter
///
/// starting from the parameters at construction. It is kept in f64 (index tensors are copied): with a decay near 1 the
/// moves are too small for f32. Polyak and Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging".
class MovingAverage {
 public:
  /// Throws unless 0 <= decay < 1.
  explicit MovingAverage(const NamedTensors& parameters, const MovingAverageOptions& options = {});

  /// Takes the parameters as they are now into the average. Allocates nothing. Throws if one has changed its shape.
  void update();
  /// The average under the parameters' names, as handles that change with the next update().
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

/// Puts other numbers into a model, to evaluate it with them, and the model's own back, to the bit, when destroyed:
///
///   optim::TemporaryParameters with(average.average(), nn::parameters(model));
///   evaluate(model);
///
/// To keep the average for good: copy_into(average.average(), nn::parameters(model), "average").
class TemporaryParameters {
 public:
  /// Throws, changing nothing, if names or shapes differ.
  TemporaryParameters(const NamedTensors& numbers, const NamedTensors& parameters);
  ~TemporaryParameters();
  TemporaryParameters(const TemporaryParameters&) = delete;
  TemporaryParameters& operator=(const TemporaryParameters&) = delete;

 private:
  NamedTensors parameters_;
  NamedTensors own_;
};

}  // namespace mixtape::optim

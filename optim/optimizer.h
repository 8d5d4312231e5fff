#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autograd/files/named_tensors.h"

namespace mixtape::optim {

/// What differs from the optimizer's options for one group of parameters.
struct GroupOptions {
  std::optional<double> weight_decay = {};  ///< in place of the optimizer's
  double learning_rate_scale = 1;           ///< multiplies the learning rate
};

/// The parameters whose names match `pattern`, where `*` matches any characters: `*.bias`, `encoder.*`.
struct Group {
  std::string pattern;
  GroupOptions options = {};
};

/// The first group that matches a parameter applies: `{{"*.bias", {.weight_decay = 0}}, {"*norm*", {.weight_decay =
/// 0}}}`.
using Groups = std::vector<Group>;

/// What step() did.
struct StepResult {
  bool applied = true;          ///< false: the gradients were not finite; they were cleared, and nothing else changed
  double gradient_norm = 0;     ///< of all gradients, before scaling and clipping
  std::string not_finite = {};  ///< the first parameter whose gradient was not finite
};

/// What a subclass passes to Optimizer.
struct OptimizerSettings {
  const char* name;                ///< prefix of messages and of the names in state(): `adam`
  std::vector<std::string> state;  ///< tensors per parameter, of its shape and dtype, 0 initially: `m`, `v`
  double learning_rate;
  double weight_decay;
  Groups groups;
};

/// One parameter, and what an optimizer needs to update it.
struct ParameterUpdate {
  const Tensor& parameter;        ///< write to it through mutable_data
  const Tensor& gradient;         ///< of the parameter's shape and dtype; multiply it by gradient_scale
  std::span<const Tensor> state;  ///< in the order of OptimizerSettings::state
  double learning_rate;           ///< of the parameter's group
  double weight_decay;            ///< of the parameter's group
  double gradient_scale;
  int64_t step;  ///< number of the parameter's update, from 1
};

/// The base of all optimizers. It holds the parameters, their groups and state, and checks the gradients; a subclass
/// updates one parameter.
///
///   for (...) {
///     Tape tape(random.at(step++));
///     tape.backward(loss(...));
///     optim::clip_grad_norm(optimizer, 1.0);
///     optimizer.step();
///   }
///
/// **Parameters.** A tensor with two names (tied) is updated once, under its first name. A parameter without a
/// gradient, or frozen at the time of the step, is not updated, whatever its weight decay.
///
/// **Gradients that are not finite.** If a gradient, after clipping, is infinite or NaN, or its square overflows (above
/// 1e19 in f32), the step is skipped: the gradients are cleared, parameters and state do not change, and StepResult
/// names the first such parameter. At the tenth skipped step in a row, step() throws.
///
/// **Accumulation.** Each backward adds to the gradients, so several of them before one step() are a larger batch.
/// If losses are means over k batches, scale them by 1 / k, or use scale_gradients().
///
/// The gradients are read once for their norm and once for the update. After construction, step() allocates nothing.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates the parameters from their gradients, then clears the gradients. Throws, changing no parameter, if a
  /// parameter was converted to another dtype since construction, if the gradients changed after they were clipped or
  /// scaled, or if they were not finite ten times in a row.
  StepResult step();

  /// Clears the gradients of all parameters. step() does so itself.
  void zero_grad();

  /// The global norm of the gradients, sqrt of the sum of their squares, accumulated in double, times the factors given
  /// to scale_gradients(). The same bits for any number of threads.
  double gradient_norm();

  /// Multiplies the gradients by `factor` in the next step, in addition to earlier factors. The gradients themselves do
  /// not change. Call it after the last backward before the step. Throws unless factor is finite and not negative.
  void scale_gradients(double factor);

  double learning_rate() const { return learning_rate_; }
  /// For the following steps; see schedule.h. Throws unless finite and not negative.
  void set_learning_rate(double learning_rate);

  /// The parameters, each tensor once.
  NamedTensors parameters() const;

  /// What a run needs to resume bit for bit, besides parameters and learning rate: `adam.m.<parameter>`, ...,
  /// `adam.step.<parameter>` (its number of updates) and `adam.skipped` (steps skipped in a row). These are handles,
  /// not copies: they change with the next step.
  NamedTensors state() const;
  /// Copies a saved state into this one. Throws, changing nothing, if names or shapes differ.
  void load_state(const NamedTensors& state);

 protected:
  /// Throws if there is no parameter, one is no parameter (see Tensor::as_parameter), two tensors have one name, a
  /// group matches no parameter, or a setting is out of range.
  Optimizer(const NamedTensors& parameters, const OptimizerSettings& settings);

  /// Updates one parameter and its state. Must not throw.
  virtual void update(const ParameterUpdate& parameter) = 0;

  /// Throws `adam: epsilon is -1, expected a number of at least 0` unless `holds`.
  void require(bool holds, const char* option, double value, const char* expected) const;

 private:
  struct Slot {
    NamedTensor parameter;
    std::vector<Tensor> state;
    Tensor step;
    double weight_decay = 0;
    double learning_rate_scale = 1;
    Tensor gradient = {};  // when its squares were summed
    uint32_t version = 0;  // of its storage
    double squares = 0;
  };

  void add(const NamedTensor& parameter, const OptimizerSettings& settings);
  void apply_groups(const NamedTensors& parameters, const Groups& groups);
  bool unchanged() const;
  void inspect();
  void check_kind(const Slot& slot) const;
  const Slot* first_not_finite() const;
  StepResult skip(const std::string& not_finite);
  void reset_gradients();

  std::string name_;
  std::vector<std::string> state_names_;
  double learning_rate_ = 0;
  std::vector<Slot> slots_;
  Tensor skipped_;
  double norm_ = 0;
  double scale_ = 1;
  bool scaled_ = false;
};

}  // namespace mixtape::optim

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autograd/named_tensors.h"

namespace mixtape::optim {

/// What one group of parameters does differently from the optimizer's options.
struct GroupOptions {
  std::optional<double> weight_decay = {};  ///< in place of the optimizer's
  double learning_rate_scale = 1;           ///< multiplies the learning rate
};

/// The parameters whose names fit `pattern`, in which `*` stands for any characters: `*.bias`, `encoder.*`.
struct Group {
  std::string pattern;
  GroupOptions options = {};
};

/// The first group that fits a parameter counts: `{{"*.bias", {.weight_decay = 0}}, {"*norm*", {.weight_decay = 0}}}`.
using Groups = std::vector<Group>;

/// What step() did.
struct StepResult {
  bool applied = true;          ///< false: the gradients were not finite, and nothing but them has changed
  double gradient_norm = 0;     ///< of all gradients together, as backward left them: before scaling and clipping
  std::string not_finite = {};  ///< the first parameter whose gradient was not finite
};

/// What the optimizers have in common, as they hand it to Optimizer.
struct OptimizerSettings {
  const char* name;                ///< in front of messages and of the names in state(): `adam`
  std::vector<std::string> state;  ///< what is kept for each parameter, of its shape and dtype, 0 at first: `m`, `v`
  double learning_rate;
  double weight_decay;
  Groups groups;
};

/// One parameter, and what an optimizer needs to update it.
struct ParameterUpdate {
  const Tensor& parameter;        ///< to be written through mutable_data
  const Tensor& gradient;         ///< of the parameter's shape and dtype; to be multiplied by gradient_scale
  std::span<const Tensor> state;  ///< in the order of OptimizerSettings::state
  double learning_rate;           ///< of the parameter's group
  double weight_decay;            ///< of the parameter's group
  double gradient_scale;
  int64_t step;  ///< how often the parameter has been updated, this time included: from 1
};

/// The base of all optimizers: it knows the parameters, their groups and state, and looks at the gradients; a subclass
/// says how one parameter is updated.
///
///   for (...) {
///     Tape tape(random.at(step++));
///     tape.backward(loss(...));
///     optim::clip_grad_norm(optimizer, 1.0);
///     optimizer.step();
///   }
///
/// **Which parameters.** A tensor that stands under two names (tied) is updated once, under its first name. A parameter
/// without a gradient is left alone, whatever its weight decay, and so is one that is frozen at the time of the step.
///
/// **Gradients that are not finite.** If a gradient, after clipping, is infinite or NaN, or so large that its square is
/// (above 1e19 in f32), the step is skipped: the gradients are cleared, parameters and state stay as they are, and
/// StepResult names the first such parameter. From the tenth step in a row on, step() throws.
///
/// **Accumulation.** Each backward adds to the gradients, so several of them before one step() are a larger batch.
/// Losses that are means want scaling by 1 / k for k batches, either themselves or with scale_gradients().
///
/// The gradients are read once to see their norm and once to update. After construction step() allocates nothing.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates the parameters from their gradients, then clears the gradients. Throws, having changed no parameter, if a
  /// parameter was converted to another dtype since construction, if the gradients changed after they were clipped or
  /// scaled, or if they were not finite ten times in a row.
  StepResult step();

  /// Drops the gradients of all parameters. step() does so itself.
  void zero_grad();

  /// The global norm that the next step will see: sqrt of the sum of squares over all gradients, added up in double,
  /// times what scale_gradients() was given. The same to the bit for any number of threads.
  double gradient_norm();

  /// Makes the next step multiply the gradients by `factor`, on top of earlier factors. The gradients themselves are
  /// not touched. To be called after the last backward of the step. Throws unless factor is finite and not negative.
  void scale_gradients(double factor);

  double learning_rate() const { return learning_rate_; }
  /// For the steps to come; schedule.h has functions of the step. Throws unless finite and not negative.
  void set_learning_rate(double learning_rate);

  /// The parameters, each tensor once.
  NamedTensors parameters() const;

  /// All that a run needs to go on to the bit, beside the parameters and the learning rate: `adam.m.<parameter>`, ...,
  /// `adam.step.<parameter>` (its number of updates) and `adam.skipped` (steps skipped in a row). These are handles,
  /// not copies: they change with the next step.
  NamedTensors state() const;
  /// Copies a saved state into this one. Throws, changing nothing, if names or shapes differ.
  void load_state(const NamedTensors& state);

 protected:
  /// Throws if there is no parameter, one is no parameter (see Tensor::as_parameter), two tensors have one name, a
  /// group fits no parameter, or a setting is out of range.
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
    Tensor gradient = {};  // as it was when its squares were added up
    uint32_t version = 0;  // of that gradient's memory
    double squares = 0;
  };

  void add(const NamedTensor& parameter, const OptimizerSettings& settings);
  void apply_groups(const NamedTensors& parameters, const Groups& groups);
  bool unchanged() const;
  void examine();
  void check_kind(const Slot& slot) const;
  const Slot* first_not_finite() const;
  StepResult skip(const std::string& not_finite);
  void forget_gradients();

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

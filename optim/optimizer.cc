#include "optim/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/kernels/reduce.h"
#include "autograd/tensors/error.h"

namespace mixtape::optim {
namespace {

constexpr int32_t kMostSkipped = 10;  // steps in a row

// Undefined for a frozen parameter.
Tensor gradient_of(const Tensor& parameter) { return parameter.trainable() ? parameter.gradient() : Tensor(); }

uint32_t version_of(const Tensor& tensor) { return tensor.version(); }

double sum_of_squares(const Tensor& x) {
  return dispatch(x.dtype(),
                  [&](auto zero) { return kernels::sum_of_squares(x.data<decltype(zero)>(), x.elements()); });
}

bool same_kind(const Tensor& a, const Tensor& b) { return a.dtype() == b.dtype() && a.shape() == b.shape(); }

std::string kind_of(const Tensor& x) { return fmt::format("{} {}", name_of(x.dtype()), to_string(x.shape())); }

}  // namespace

Optimizer::Optimizer(const NamedTensors& parameters, const OptimizerSettings& settings)
    : name_(settings.name), state_names_(settings.state), skipped_(Tensor::zeros({}, i32)) {
  set_learning_rate(settings.learning_rate);
  require(settings.weight_decay >= 0, "weight_decay", settings.weight_decay, "a number of at least 0");
  for (const NamedTensor& parameter : parameters) add(parameter, settings);
  if (slots_.empty()) fail(fmt::format("{}: there are no parameters", name_));
  apply_groups(parameters, settings.groups);
}

void Optimizer::require(bool holds, const char* option, double value, const char* expected) const {
  if (!holds || !std::isfinite(value)) fail(fmt::format("{}: {} is {}, expected {}", name_, option, value, expected));
}

void Optimizer::add(const NamedTensor& parameter, const OptimizerSettings& settings) {
  const auto& [name, tensor] = parameter;
  if (!tensor || !tensor.is_parameter()) fail(fmt::format("{}: {} is not a parameter", name_, name));
  for (const Slot& slot : slots_) {
    if (slot.parameter.tensor.is(tensor)) return;
    if (slot.parameter.name == name) fail(fmt::format("{}: there are two parameters {}", name_, name));
  }
  Slot slot{.parameter = parameter, .state = {}, .step = Tensor::zeros({}, i32), .weight_decay = settings.weight_decay};
  while (slot.state.size() < state_names_.size()) slot.state.push_back(Tensor::zeros(tensor.shape(), tensor.dtype()));
  slots_.push_back(std::move(slot));
}

// A tied parameter belongs to the first group that matches one of its names.
void Optimizer::apply_groups(const NamedTensors& parameters, const Groups& groups) {
  std::vector<bool> grouped(slots_.size());
  for (const auto& [pattern, options] : groups) {
    const std::string decay = fmt::format("weight_decay of {}", pattern);
    const std::string scale = fmt::format("learning_rate_scale of {}", pattern);
    require(options.weight_decay.value_or(0) >= 0, decay.c_str(), options.weight_decay.value_or(0),
            "a number of at least 0");
    require(options.learning_rate_scale >= 0, scale.c_str(), options.learning_rate_scale, "a number of at least 0");
    bool fits = false;
    for (const NamedTensor& parameter : parameters) {
      if (!matches(parameter.name, pattern)) continue;
      fits = true;
      const auto slot = std::find_if(slots_.begin(), slots_.end(),
                                     [&](const Slot& s) { return s.parameter.tensor.is(parameter.tensor); });
      const auto index = static_cast<size_t>(slot - slots_.begin());
      if (grouped[index]) continue;
      grouped[index] = true;
      slot->weight_decay = options.weight_decay.value_or(slot->weight_decay);
      slot->learning_rate_scale = options.learning_rate_scale;
    }
    if (!fits) fail(fmt::format("{}: the group {} fits no parameter", name_, pattern));
  }
}

void Optimizer::set_learning_rate(double learning_rate) {
  require(learning_rate >= 0, "learning_rate", learning_rate, "a number of at least 0");
  learning_rate_ = learning_rate;
}

StepResult Optimizer::step() {
  inspect();
  if (const Slot* slot = first_not_finite()) return skip(slot->parameter.name);
  for (Slot& slot : slots_) {
    if (!slot.gradient) continue;
    update({.parameter = slot.parameter.tensor,
            .gradient = slot.gradient,
            .state = slot.state,
            .learning_rate = learning_rate_ * slot.learning_rate_scale,
            .weight_decay = slot.weight_decay,
            .gradient_scale = scale_,
            .step = ++*slot.step.mutable_data<int32_t>()});
  }
  *skipped_.mutable_data<int32_t>() = 0;
  const double norm = norm_;
  zero_grad();
  return {.gradient_norm = norm};
}

// An overflowing square would stay in Adam's moments forever, so it counts as not finite.
const Optimizer::Slot* Optimizer::first_not_finite() const {
  for (const Slot& slot : slots_) {
    const bool single = slot.parameter.tensor.dtype() == f32;
    const double largest = single ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
    if (slot.gradient && !(slot.squares * scale_ * scale_ <= largest)) return &slot;
  }
  return nullptr;
}

StepResult Optimizer::skip(const std::string& not_finite) {
  const int32_t skipped = ++*skipped_.mutable_data<int32_t>();
  const double norm = norm_;
  zero_grad();
  if (skipped >= kMostSkipped) {
    fail(fmt::format("optimizer: gradients were not finite in {} steps in a row; first in {}", skipped, not_finite));
  }
  return {.applied = false, .gradient_norm = norm, .not_finite = not_finite};
}

void Optimizer::zero_grad() {
  for (const Slot& slot : slots_) slot.parameter.tensor.clear_gradient();
  reset_gradients();
}

void Optimizer::reset_gradients() {
  for (Slot& slot : slots_) slot.gradient = {};
  norm_ = 0;
  scale_ = 1;
  scaled_ = false;
}

double Optimizer::gradient_norm() {
  inspect();
  return norm_ * scale_;
}

void Optimizer::scale_gradients(double factor) {
  require(factor >= 0, "gradient scale", factor, "a number of at least 0");
  inspect();
  scale_ *= factor;
  scaled_ = true;
}

// Holding the inspected gradients ensures that no new one has the address of an old one.
bool Optimizer::unchanged() const {
  return std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) {
    const Tensor gradient = gradient_of(slot.parameter.tensor);
    return gradient.is(slot.gradient) && (!gradient || version_of(gradient) == slot.version);
  });
}

void Optimizer::inspect() {
  if (unchanged()) return;
  if (scaled_) {
    fail(
        fmt::format("{}: the gradients changed after they were clipped or scaled; do that after the last backward, "
                    "and drop gradients with the optimizer's zero_grad",
                    name_));
  }
  reset_gradients();
  double squares = 0;
  for (Slot& slot : slots_) {
    const Tensor gradient = gradient_of(slot.parameter.tensor);
    if (!gradient) continue;
    slot.gradient = gradient;
    slot.version = version_of(gradient);
    check_kind(slot);
    slot.squares = sum_of_squares(gradient);
    squares += slot.squares;
  }
  norm_ = std::sqrt(squares);
}

void Optimizer::check_kind(const Slot& slot) const {
  const auto& [name, tensor] = slot.parameter;
  if (slot.state.empty() || same_kind(slot.state[0], tensor)) return;
  fail(fmt::format("{}: {} was {} when the optimizer was made and is now {}; make the optimizer after converting",
                   name_, name, kind_of(slot.state[0]), kind_of(tensor)));
}

NamedTensors Optimizer::parameters() const {
  NamedTensors all;
  for (const Slot& slot : slots_) all.push_back(slot.parameter);
  return all;
}

NamedTensors Optimizer::state() const {
  NamedTensors all;
  for (const Slot& slot : slots_) {
    for (size_t i = 0; i < state_names_.size(); ++i) {
      all.push_back({fmt::format("{}.{}.{}", name_, state_names_[i], slot.parameter.name), slot.state[i]});
    }
    all.push_back({fmt::format("{}.step.{}", name_, slot.parameter.name), slot.step});
  }
  all.push_back({fmt::format("{}.skipped", name_), skipped_});
  return all;
}

void Optimizer::load_state(const NamedTensors& state) { copy_into(state, this->state(), name_ + " state"); }

}  // namespace mixtape::optim

#include <fmt/format.h>

#include <algorithm>

#include "autograd/error.h"
#include "autograd/ops.h"
#include "autograd/ops/accumulate.h"
#include "autograd/tape_lines.h"

// The tape played back: from its last line to its first, each line's rule turns the gradient of its output into those
// of its inputs.
namespace mixtape {

// A backward pass under way. However it ends, the tape is left in order: spent, and its memory freed, unless it is to
// be kept.
struct Tape::Playing {
  Tape& tape;
  bool recorded;
  bool keep_tape;
  bool was_recording;

  Playing(Tape& played, bool record_backward, bool keep)
      : tape(played), recorded(record_backward), keep_tape(keep || record_backward), was_recording(played.recording_) {
    tape.recording_ = recorded;
    tape.in_backward_ = true;
  }
  ~Playing() {
    tape.in_backward_ = false;
    tape.rule_of_ = -1;
    tape.recording_ = keep_tape && was_recording;
    tape.spent_ = !keep_tape;
    if (!keep_tape) {
      tape.lines_->kept.clear();
      tape.lines_->outputs.clear();
      tape.lines_->held.clear();
    }
  }
  Playing(const Playing&) = delete;
  Playing& operator=(const Playing&) = delete;
};

namespace {

// The gradient that reaches a tensor by several ways is added up, in place where nobody else sees the memory.
Tensor sum_of(Tensor a, Tensor b, bool recorded) {
  if (recorded || !(a.unique() || b.unique())) return a + b;
  if (!a.unique()) std::swap(a, b);
  add_in_place(a, b);
  return a;
}

void check_unchanged(const char* op, std::span<const Kept::Item> items) {
  for (const Kept::Item& item : items)
    if (item.overwritten()) fail(fmt::format("{}: a tensor that it kept for backward has been overwritten since", op));
}

}  // namespace

Tensor Tape::start(const char* caller, const Tensor& loss, const Tensor& seed) const {
  own_line(caller, loss);
  if (in_backward_) fail(fmt::format("{}: a backward of this tape is under way", caller));
  if (spent_) fail(fmt::format("{}: the tape is spent; ask the first backward to keep it (keep_tape)", caller));
  if (seed) {
    if (!(seed.shape() == loss.shape()) || seed.dtype() != loss.dtype()) {
      fail(fmt::format("{}: the seed is {}, the loss {}", caller, to_string(seed.shape()), to_string(loss.shape())));
    }
    return seed;
  }
  if (loss.elements() != 1)
    fail(fmt::format("{}: the loss is {}, expected a scalar or a seed", caller, to_string(loss.shape())));
  return Tensor::ones(loss.shape(), loss.dtype());
}

void Tape::backward(Tensor loss, const BackwardOptions& options) {
  Tensor seed = start("backward", loss, options.seed);
  Lines& all = *lines_;
  const auto lines = static_cast<size_t>(size_);
  all.gradients.assign(lines, {});
  all.needed.assign(lines, 1);
  all.wanted.assign(lines, 0);
  for (const Tensor& x : options.keep) all.wanted[static_cast<size_t>(own_line("backward", x))] = 1;
  for (size_t i = 0; i < lines; ++i) {
    const Tensor& leaf = all.lines[i].leaf;
    if (leaf && !leaf.is_parameter()) all.wanted[i] = 1;
  }
  const int32_t last = loss.body().line;
  loss = {};  // a large one, given with a seed, need not live through all of it
  all.gradients[static_cast<size_t>(last)] = std::move(seed);
  const Playing playing(*this, false, options.keep_tape);
  play_back(0, last + 1, playing);
  add_parameter_gradients();
}

std::vector<Tensor> Tape::gradients(const Tensor& loss, const std::vector<Tensor>& inputs,
                                    const GradientsOptions& options) {
  Tensor seed = start("gradients", loss, options.seed);
  if (options.record && !options_.keep_inputs) {
    fail("gradients: a recorded backward needs the inputs of each line; open the tape with keep_inputs");
  }
  Lines& all = *lines_;
  const auto lines = static_cast<size_t>(size_);
  all.gradients.assign(lines, {});
  all.needed.assign(lines, 0);
  all.wanted.assign(lines, 0);
  for (const Tensor& x : inputs) all.needed[static_cast<size_t>(own_line("gradients", x))] = 1;
  all.wanted = all.needed;
  mark_needed(0);
  const int32_t last = loss.body().line;
  all.gradients[static_cast<size_t>(last)] = std::move(seed);
  {
    const Playing playing(*this, options.record, options.keep_tape);
    play_back(0, last + 1, playing);
  }
  std::vector<Tensor> result;
  result.reserve(inputs.size());
  for (const Tensor& x : inputs) result.push_back(gradient(x));
  return result;
}

Tensor Tape::gradient(const Tensor& x) const {
  const auto index = static_cast<size_t>(own_line("gradient", x));
  const Lines& all = *lines_;
  if (index >= all.wanted.size() || !all.wanted[index]) {
    fail("gradient: not kept; name the tensor in backward's `keep`, or watch() it");
  }
  if (all.gradients[index]) return all.gradients[index];
  return Tensor::zeros(x.shape(), x.dtype());
}

// A line needs a gradient if one of its inputs does.
void Tape::mark_needed(size_t first) {
  Lines& all = *lines_;
  for (size_t i = first; i < all.lines.size(); ++i) {
    const Line& line = all.lines[i];
    for (size_t k = 0; k < line.input_count; ++k) {
      const int32_t from = all.inputs[line.inputs + k];
      if (from >= 0) all.needed[i] |= all.needed[static_cast<size_t>(from)];
    }
  }
}

void Tape::play_back(int32_t first, int32_t last, const Playing& playing) {
  Lines& all = *lines_;
  for (int32_t line = last - 1; line >= first; --line) {
    const auto i = static_cast<size_t>(line);
    if (all.gradients[i] && all.needed[i]) {
      run_hooks(line);
      const Tensor dy = all.wanted[i] || all.lines[i].leaf ? all.gradients[i] : std::move(all.gradients[i]);
      const int32_t outer = rule_of_;
      if (outer < 0) rule_of_ = line;  // else line is of a composed definition, and what it writes is that op's
      if (!all.lines[i].leaf) play_line(i, dy, playing);
      rule_of_ = outer;
    }
    if (!playing.keep_tape) release(i);
  }
}

void Tape::play_line(size_t index, const Tensor& dy, const Playing& playing) {
  Lines& all = *lines_;
  const Line& line = all.lines[index];
  const Scope scope(line.path);
  const auto items = std::span(all.kept).subspan(line.kept, line.kept_count);
  check_unchanged(line.op, items);
  for (Kept::Item& item : items)
    if (item.again >= 0) item.tensor = compute_again(static_cast<size_t>(item.again), !playing.keep_tape);
  if (playing.recorded && line.composed) return play_composed(index, dy, playing);
  const size_t input_count = line.input_count;
  // A rule that is itself recorded makes these vectors grow, so it gets copies.
  std::vector<Kept::Item> items_copy;
  std::vector<int32_t> inputs_copy;
  std::span<Kept::Item> kept = items;
  std::span<const int32_t> inputs = std::span(all.inputs).subspan(line.inputs, line.input_count);
  if (playing.recorded) {
    items_copy.assign(items.begin(), items.end());
    inputs_copy.assign(inputs.begin(), inputs.end());
    kept = items_copy;
    inputs = inputs_copy;
  }
  const Rule rule = line.rule;
  const std::span<Tensor> sums = playing.recorded ? std::span<Tensor>() : std::span(all.gradients);
  Gradients gradients = rule(Kept(kept, inputs, all.needed, !playing.keep_tape, sums), dy);
  for (size_t k = 0; k < std::min(gradients.size(), input_count); ++k) {
    if (gradients[k] && inputs[k] >= 0 && all.needed[static_cast<size_t>(inputs[k])]) {
      accumulate(index, inputs[k], std::move(gradients[k]), playing);
    }
  }
}

// The output of a line whose op can do so, for lines that are played before it is; the last of them gets it for itself.
Tensor Tape::compute_again(size_t index, bool for_line) {
  Lines& all = *lines_;
  if (all.outputs.size() <= index) all.outputs.resize(static_cast<size_t>(size_));
  if (!all.outputs[index]) {
    const Line& line = all.lines[index];
    const auto items = std::span(all.kept).subspan(line.kept, line.kept_count);
    check_unchanged(line.op, items);
    for (Kept::Item& item : items)
      if (item.again >= 0) item.tensor = compute_again(static_cast<size_t>(item.again), false);
    all.outputs[index] =
        line.again(Kept(items, std::span(all.inputs).subspan(line.inputs, line.input_count), all.needed, false));
  }
  if (for_line && --all.lines[index].users == 0) return std::move(all.outputs[index]);
  return all.outputs[index];
}

void Tape::play_composed(size_t index, const Tensor& dy, const Playing& playing) {
  Lines& all = *lines_;
  const Line& line = all.lines[index];
  const Composed composed = line.composed;
  const auto held = std::span(all.held).subspan(line.held, line.input_count);
  check_unchanged(line.op, held);
  std::vector<Tensor> inputs;
  for (const Kept::Item& item : held) inputs.push_back(item.tensor);
  const int32_t first = size_;
  const Tensor y = composed(inputs);
  if (y.body().tape != number_) return;
  const auto lines = static_cast<size_t>(size_);
  all.gradients.resize(lines);
  all.needed.resize(lines, 0);
  all.wanted.resize(lines, 0);
  mark_needed(static_cast<size_t>(first));
  accumulate(index, y.body().line, dy, playing);
  play_back(first, y.body().line + 1, playing);
}

void Tape::accumulate(size_t from, int32_t to, Tensor gradient, const Playing& playing) {
  Lines& all = *lines_;
  const Line& target = all.lines[static_cast<size_t>(to)];
  if (!(gradient.shape() == target.shape) || gradient.dtype() != target.dtype) {
    fail(fmt::format("{}: its rule gave a gradient of {} {} for an input of {} {}", all.lines[from].op,
                     name_of(gradient.dtype()), to_string(gradient.shape()), name_of(target.dtype),
                     to_string(target.shape)));
  }
  // One that took the place of a kept tensor is no longer what that was on this tape.
  if (!playing.recorded && gradient.body().tape != 0) gradient = gradient.detach();
  Tensor& sum = all.gradients[static_cast<size_t>(to)];
  if (!sum) {
    sum = std::move(gradient);
    return;
  }
  Tensor added = sum_of(std::move(sum), std::move(gradient), playing.recorded);
  lines_->gradients[static_cast<size_t>(to)] = std::move(added);
}

void Tape::release(size_t index) {
  Lines& all = *lines_;
  const Line& line = all.lines[index];
  for (size_t k = 0; k < line.kept_count; ++k) all.kept[line.kept + k].tensor = {};
  if (index < all.outputs.size()) all.outputs[index] = {};
  if (!all.held.empty()) {
    for (size_t k = 0; k < line.input_count; ++k) all.held[line.held + k].tensor = {};
  }
}

void Tape::add_parameter_gradients() {
  Lines& all = *lines_;
  for (size_t i = 0; i < all.gradients.size(); ++i) {
    const Tensor parameter = all.lines[i].leaf;
    if (!parameter || !parameter.is_parameter() || !all.gradients[i]) continue;
    Tensor gradient = all.wanted[i] ? all.gradients[i] : std::move(all.gradients[i]);
    Tensor before = parameter.gradient();
    parameter.clear_gradient();
    if (before) gradient = sum_of(std::move(before), std::move(gradient), false);
    parameter.set_gradient(gradient.unique() ? std::move(gradient) : gradient.clone());
  }
}

Hook Tape::on_gradient(const Tensor& x, std::function<Tensor(const Tensor&)> hook) {
  auto owner = std::make_shared<std::function<Tensor(const Tensor&)>>(std::move(hook));
  lines_->hooks.push_back({own_line("on_gradient", x), owner});
  return Hook(owner);
}

void Tape::run_hooks(int32_t line) {
  Lines& all = *lines_;
  for (size_t k = 0; k < all.hooks.size(); ++k) {
    if (all.hooks[k].line != line) continue;
    const auto hook = all.hooks[k].hook.lock();
    if (!hook) continue;
    const Scope scope(all.lines[static_cast<size_t>(line)].path);
    const Tensor gradient = all.gradients[static_cast<size_t>(line)];
    const Tensor replaced = (*hook)(gradient);
    if (!replaced) continue;
    if (!(replaced.shape() == gradient.shape()) || replaced.dtype() != gradient.dtype()) {
      fail(fmt::format("hook: it returned {} for a gradient of {}", to_string(replaced.shape()),
                       to_string(gradient.shape())));
    }
    all.gradients[static_cast<size_t>(line)] = replaced;
  }
}

}  // namespace mixtape

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autograd/ops.h"
#include "autograd/ops/internal/accumulate.h"
#include "autograd/tape/internal/rule_observer.h"
#include "autograd/tape/internal/tape_lines.h"
#include "autograd/tape/precision.h"
#include "autograd/tensors/error.h"

// Backward: from the last line to the first, the rules of each line turn the gradient of its output into those of its
// inputs.
namespace mixtape {

// A backward pass under way. However it ends, the tape is left in order: spent, and its memory freed, unless it is to
// be retained.
struct Tape::Playing {
  Tape& tape;
  bool recorded;
  bool retain_tape;
  bool was_recording;

  Playing(Tape& played, bool record_backward, bool retain)
      : tape(played),
        recorded(record_backward),
        retain_tape(retain || record_backward),
        was_recording(played.recording_) {
    tape.recording_ = recorded;
    tape.in_backward_ = true;
  }
  ~Playing() {
    tape.in_backward_ = false;
    tape.rule_of_ = -1;
    tape.recording_ = retain_tape && was_recording;
    tape.spent_ = !retain_tape;
    if (!retain_tape) tape.lines_->release();
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

// Throws unless a gradient that somebody gave is like what it is of.
void check_gradient(const char* from, const Tensor& gradient, const Shape& shape, DType dtype) {
  if (gradient && gradient.shape() == shape && gradient.dtype() == dtype) return;
  fail(
      fmt::format("{}: the gradient is {}, expected {} {}", from,
                  gradient ? fmt::format("{} {}", name_of(gradient.dtype()), to_string(gradient.shape())) : "undefined",
                  name_of(dtype), to_string(shape)));
}

template <class Items>
void check_unchanged(const char* op, const Items& items) {
  for (const auto& item : items)
    if (item.overwritten()) fail(fmt::format("{}: a tensor that it saved for backward has been overwritten since", op));
}

}  // namespace

thread_local RuleObserver* RuleObserver::current = nullptr;

// Makes ready for a backward pass from the loss.
void Tape::start(const char* caller, const Tensor& loss, Tensor seed, bool needed) {
  own_line(caller, loss);
  if (in_backward_) fail(fmt::format("{}: a backward of this tape is under way", caller));
  if (spent_) fail(fmt::format("{}: the tape is spent; ask the first backward to retain it (retain_tape)", caller));
  if (!seed && loss.elements() != 1)
    fail(fmt::format("{}: the loss is {}, expected a scalar or a seed", caller, to_string(loss.shape())));
  if (!seed) seed = Tensor::ones(loss.shape(), loss.dtype());
  check_gradient(caller, seed, loss.shape(), loss.dtype());
  Lines& all = *lines_;
  const auto lines = static_cast<size_t>(size_);
  all.gradients.assign(lines, {});
  all.needed.assign(lines, needed);
  all.wanted.assign(lines, 0);
  all.gradients[static_cast<size_t>(find(loss))] = std::move(seed);
}

void Tape::backward(Tensor loss, const BackwardOptions& options) {
  start("backward", loss, options.seed, true);
  Lines& all = *lines_;
  for (const Tensor& x : options.keep) all.wanted[static_cast<size_t>(own_line("backward", x))] = 1;
  for (size_t i = 0; i < all.lines.size(); ++i)
    if (const Tensor& leaf = all.lines[i].leaf; leaf && !leaf.is_parameter()) all.wanted[i] = 1;
  loss = {};  // a large one, given with a seed, need not live through all of it
  const Playing playing(*this, false, options.retain_tape);
  play_back(0, size_, playing);
  add_parameter_gradients();
}

std::vector<Tensor> Tape::gradients(const Tensor& loss, const std::vector<Tensor>& inputs,
                                    const GradientsOptions& options) {
  if (options.record && !options_.save_inputs)
    fail("gradients: a recorded backward needs the inputs of each line; open the tape with save_inputs");
  start("gradients", loss, options.seed, false);
  Lines& all = *lines_;
  for (const Tensor& x : inputs) all.needed[static_cast<size_t>(own_line("gradients", x))] = 1;
  all.wanted = all.needed;
  mark_needed(0);
  {
    const Playing playing(*this, options.record, options.retain_tape);
    play_back(0, size_, playing);
  }
  std::vector<Tensor> result;
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

bool Tape::needs(const LineInput& input) const {
  return input.line >= 0 && lines_->needed[static_cast<size_t>(input.line)];
}

// A line needs a gradient if one of its inputs does.
void Tape::mark_needed(size_t first) {
  Lines& all = *lines_;
  for (size_t i = first; i < all.lines.size(); ++i)
    for (const LineInput& input : all.lines[i].inputs.of(all.inputs)) all.needed[i] |= needs(input);
}

void Tape::play_back(int32_t first, int32_t last, const Playing& playing) {
  Lines& all = *lines_;
  for (int32_t line = last - 1; line >= first; --line) {
    const auto i = static_cast<size_t>(line);
    if (all.gradients[i] && all.needed[i]) {
      run_hooks(line);
      Tensor dy = all.wanted[i] || all.lines[i].leaf ? all.gradients[i] : std::move(all.gradients[i]);
      const int32_t outer = rule_of_;
      if (outer < 0) rule_of_ = line;  // else line is of a composed definition, and what it writes is that op's
      if (!all.lines[i].leaf) play_line(i, std::move(dy), playing);
      rule_of_ = outer;
    }
    if (!playing.retain_tape) release(i);
  }
}

void Tape::play_line(size_t index, Tensor dy, const Playing& playing) {
  Lines& all = *lines_;
  Line& line = all.lines[index];
  const Scope scope(line.path);
  const MixedPrecision precision(line.precision);
  if (playing.recorded && line.composed) return play_composed(index, dy, playing);
  if (!playing.retain_tape) line.recompute = {}, line.replay = {};  // the lines that save its output have been played
  order_rules(line);
  for (size_t at = 0; at < all.order.size(); ++at) play_rule(index, at, dy, playing);
}

// The rules of a line that are to be played, the last input's first, whatever their order in the op: what reaches one
// tensor by two inputs is added up in one order. Those that may overwrite what others read come last.
void Tape::order_rules(const Line& line) {
  Lines& all = *lines_;
  const auto inputs = line.inputs.of(all.inputs);
  all.order.clear();
  for (size_t r = line.rules.first; r < line.rules.first + line.rules.count; ++r) {
    const LineRule& rule = all.rules[r];
    if (std::any_of(&rule.inputs[0], &rule.inputs[rule.input_count], [&](uint8_t k) { return needs(inputs[k]); }))
      all.order.push_back(static_cast<uint32_t>(r));
  }
  std::sort(all.order.begin(), all.order.end(), [&](uint32_t a, uint32_t b) {
    const LineRule &x = all.rules[a], &y = all.rules[b];
    return std::pair(x.overwrites(), y.inputs[0]) < std::pair(y.overwrites(), x.inputs[0]);
  });
  if (RuleObserver::current) RuleObserver::current->order(all.order);
}

// Plays the rule at that place of the order. It is given the tape's own handles of what it reads, if no other rule will
// read it, so that memory is freed, or may be written over.
void Tape::play_rule(size_t index, size_t at, Tensor& dy, const Playing& playing) {
  Lines& all = *lines_;
  const char* op = all.lines[index].op;
  const Range inputs = all.lines[index].inputs;  // not the line: what a rule records makes vectors grow
  const bool last = at + 1 == all.order.size(), release = !playing.retain_tape;
  LineRule& recorded = all.rules[all.order[at]];
  LineRule rule = release ? std::move(recorded) : recorded;
  if (playing.recorded && rule.kernel)
    fail(fmt::format("{}: its rule calls a kernel and cannot be recorded; name a composed definition", op));
  check_unchanged(op, rule.saved);
  std::array<Tensor, Rule::kMostSaved + 1> tensors;
  const std::span reads = std::span(tensors).first(rule.saved_count + 1u);
  reads[0] = last ? std::exchange(dy, Tensor()) : dy;
  if (!all.lines[index].reads_product) reads[0].raw_data();
  for (size_t k = 0; k < rule.saved_count; ++k) reads[k + 1] = std::move(rule.saved[k].tensor);
  std::array<Gradient, Rule::kMostInputs> memory;
  const std::span gradients = std::span(memory).first(rule.input_count);
  for (size_t i = 0; i < gradients.size() && rule.kernel; ++i) {
    const bool may_overwrite = release && rule.overwrite[i] >= 0;
    gradients[i] = destination(inputs.of(all.inputs)[rule.inputs[i]], rule.accumulate && i == 0,
                               may_overwrite ? &reads[static_cast<size_t>(rule.overwrite[i])] : nullptr);
  }
  RuleObserver* observer = RuleObserver::current;
  if (observer) observer->before(op, still_read(at, dy));
  call(op, rule, reads, gradients);
  if (observer) observer->after(op, still_read(at, dy));
  const bool over_dy = release && last && rule.overwrite[0] == 0;
  if (playing.recorded && find(reads[0]) >= 0 && find(gradients[0].tensor) < 0)
    fail(fmt::format("{}: its rule gave a constant; write it with ops or name a composed definition", op));
  reads[0] = {};
  for (size_t i = 0; i < gradients.size(); ++i) {
    const LineInput& input = inputs.of(all.inputs)[rule.inputs[i]];
    if (!needs(input)) continue;
    check_gradient(op, gradients[i].tensor, input.shape, input.dtype);
    if (gradients[i].accumulate) {
      all.gradients[static_cast<size_t>(input.line)] = std::move(gradients[i].tensor);
    } else {
      add_gradient(input.line, std::move(gradients[i].tensor), over_dy, playing);
    }
  }
}

// Memory for the gradient of an input: what has reached it so far, to be added to; memory that may be written over, if
// nobody else sees it; or fresh.
Gradient Tape::destination(const LineInput& input, bool accumulate, const Tensor* over) {
  if (accumulate && needs(input)) {
    Tensor sum = std::move(lines_->gradients[static_cast<size_t>(input.line)]);
    if (sum && !sum.unique()) sum = sum.clone();
    if (sum) return {std::move(sum), true};
  }
  if (over && *over && over->shape() == input.shape && over->dtype() == input.dtype) {
    over->raw_data();
    if (over->unique()) return {over->detach()};
  }
  return {Tensor::uninitialized(input.shape, input.dtype)};
}

// Calls a rule, and throws if it writes to what it may only read.
void Tape::call(const char* op, const LineRule& rule, std::span<const Tensor> reads, std::span<Gradient> gradients) {
  std::array<uint32_t, Rule::kMostSaved + 1> versions;
  for (size_t k = 0; k < reads.size(); ++k) versions[k] = reads[k] ? reads[k].version() : 0;
  rule.function(reads, gradients);
  const auto granted = [&](const Tensor& x) {
    return rule.kernel && std::any_of(gradients.begin(), gradients.end(), [&](const Gradient& gradient) {
             return gradient.tensor.body().storage.get() == x.body().storage.get();
           });
  };
  for (size_t k = 0; k < reads.size(); ++k) {
    if (reads[k] && reads[k].version() != versions[k] && !granted(reads[k]))
      fail(fmt::format("{}: its rule wrote to dy or to a saved tensor, which it may only read", op));
  }
}

// Adds a gradient to what has reached a line so far. A product that a rule gave is computed here, where it goes, or
// left to the line that reads it if nobody else will.
void Tape::add_gradient(int32_t to, Tensor gradient, bool over_dy, const Playing& playing) {
  const Line& line = lines_->lines[static_cast<size_t>(to)];
  Tensor& sum = lines_->gradients[static_cast<size_t>(to)];
  if (const Recompute* product = gradient.deferral()) {
    if (sum && product->fusion().accumulate) {
      if (!sum.unique()) sum = sum.clone();
      return (*product)(sum, true);
    }
    if (!sum && line.reads_product && lines_->hooks.empty() && !lines_->wanted[static_cast<size_t>(to)]) {
      sum = std::move(gradient);
      return;
    }
    if (const Tensor& dy = product->sources()[0]; over_dy && dy.unique() && dy.shape() == line.shape) {
      const Tensor result = dy.detach();
      (*product)(result);
      gradient = result;
    }
    gradient.raw_data();
  }
  if (!playing.recorded && find(gradient) >= 0) gradient = gradient.detach();  // it is not what it was on this tape
  sum = sum ? sum_of(std::move(sum), std::move(gradient), playing.recorded) : std::move(gradient);
}

// What the rules after the one at that place of the order will read.
std::vector<const Tensor*> Tape::still_read(size_t at, const Tensor& dy) const {
  const Lines& all = *lines_;
  std::vector<const Tensor*> result;
  if (dy) result.push_back(&dy);
  for (size_t later = at + 1; later < all.order.size(); ++later)
    for (const SavedTensor& item : all.rules[all.order[later]].saved) result.push_back(&item.tensor);
  return result;
}

void Tape::play_composed(size_t index, const Tensor& dy, const Playing& playing) {
  Lines& all = *lines_;
  const Line line = all.lines[index];
  check_unchanged(line.op, line.held.of(all.held));
  std::vector<Tensor> inputs;
  for (const SavedTensor& item : line.held.of(all.held)) inputs.push_back(item.tensor);
  const int32_t first = size_;
  const Tensor y = line.composed(inputs);
  if (find(y) < 0) fail(fmt::format("{}: its composed definition does not depend on its inputs", line.op));
  check_gradient(line.op, dy, y.shape(), y.dtype());
  const auto lines = static_cast<size_t>(size_);
  all.gradients.resize(lines);
  all.needed.resize(lines, 0);
  all.wanted.resize(lines, 0);
  mark_needed(static_cast<size_t>(first));
  add_gradient(find(y), dy, false, playing);
  play_back(first, size_, playing);
}

void Tape::release(size_t index) {
  Lines& all = *lines_;
  Line& line = all.lines[index];
  line.recompute = {};
  line.replay = {};
  for (LineRule& rule : line.rules.of(all.rules)) rule.saved = {};
  for (SavedTensor& item : line.held.of(all.held)) item = {};
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
    check_gradient("hook", replaced, gradient.shape(), gradient.dtype());
    all.gradients[static_cast<size_t>(line)] = replaced;
  }
}

}  // namespace mixtape

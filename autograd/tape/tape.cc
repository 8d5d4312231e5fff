#include "autograd/tape/tape.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "autograd/tape/internal/tape_lines.h"
#include "autograd/tape/precision.h"
#include "autograd/tensors/error.h"

namespace mixtape {

namespace {

std::atomic<uint64_t> tapes_opened{0};
thread_local Tape* open_tape = nullptr;

bool trainable(const Tensor& x) { return x.body().trainable && is_differentiable(x.dtype()); }

}  // namespace

Tape::Tape(TapeOptions options) : options_(options), number_(++tapes_opened) {
  if (open_tape) fail("tape: a tape is already open on this thread, and only one may be");
  lines_ = spare_lines() ? std::move(spare_lines()) : std::make_unique<Lines>();
  open_tape = this;
}

Tape::~Tape() {
  lines_->clear();
  spare_lines() = std::move(lines_);
  open_tape = nullptr;
}

std::unique_ptr<Tape::Lines>& Tape::spare_lines() {
  thread_local std::unique_ptr<Lines> spare;
  return spare;
}

Tape* Tape::recording() { return open_tape && open_tape->recording_ ? open_tape : nullptr; }

bool Tape::tracks(const Tensor& x) {
  const Tape* tape = recording();
  return tape && x && (x.body().tape == tape->number_ || trainable(x));
}

std::optional<RandomDraw> Tape::draw() {
  Tape* tape = recording();
  if (!tape || !tape->options_.random) return {};
  return RandomDraw{*tape->options_.random, tape->draws_++};
}

// The line of a tensor that an op was given; -1 for a constant. A trainable parameter gets a line when it is first
// used.
int32_t Tape::line_of(const Tensor& x) {
  if (!x) return -1;
  const detail::Body& body = x.body();
  if (body.tape == number_) return body.line;
  if (trainable(x)) return add_leaf("parameter", x);
  if (body.tape != 0 && !body.leaf)
    fail("tape: a tensor of a tape that has ended is used under another one; detach() it");
  return -1;
}

int32_t Tape::add_leaf(const char* op, const Tensor& x) {
  x.body().leaf = true;
  Line line = new_line(op, x);
  line.leaf = x;
  return add(std::move(line), x);
}

Tape::Line Tape::new_line(const char* op, const Tensor& y) const {
  const Lines& all = *lines_;
  return {.op = op,
          .path = current_path(),
          .shape = y.shape(),
          .dtype = y.dtype(),
          .precision = compute_precision(),
          .backward = in_backward_,
          .rule_of = rule_of_,
          .inputs = {all.inputs.size()},
          .rules = {all.rules.size()},
          .held = {all.held.size()}};
}

int32_t Tape::add(Line line, const Tensor& y) {
  lines_->lines.push_back(std::move(line));
  y.body().tape = number_;
  return y.body().line = size_++;
}

// False if no input is on the tape.
bool Tape::write_line(const char* op, Tensors inputs, const Tensor& y, Rules rules, const Composed& composed) {
  Lines& all = *lines_;
  Line line = new_line(op, y);
  bool tracked = false, computed_here = true;  // as against parameters, watched inputs and constants
  for (const Tensor& input : inputs) {
    if (input && input.is(y)) fail(fmt::format("{}: its output is its own input; return a new tensor", op));
    const int32_t from = line_of(input);
    tracked |= from >= 0;
    computed_here &= from >= 0 && !all.lines[static_cast<size_t>(from)].leaf;
    all.inputs.push_back(input ? LineInput{from, input.dtype(), input.shape()} : LineInput{-1});
  }
  line.inputs.count = inputs.size();
  if (!tracked) {
    all.inputs.resize(line.inputs.first);
    return false;
  }
  if (find(y) >= 0) fail(fmt::format("{}: its output is on the tape already; compute it under a Pause", op));
  for (const Rule& rule : rules) add_rule(line, inputs, rule);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (all.inputs[line.inputs.first + i].line >= 0 && !has_rule(line, i))
      fail(fmt::format("{}: no rule gives the gradient of its input {}", op, i));
  }
  line.composed = composed;
  if (y.deferral() && !computed_here) y.raw_data();  // what it follows from may change
  line.recompute = y.body().recompute;
  if (!y.deferral()) y.body().recompute = {};
  if (options_.save_inputs) {
    for (const Tensor& input : inputs) all.held.emplace_back(input);
    line.held.count = inputs.size();
  }
  add(std::move(line), y);
  return true;
}

bool Tape::has_rule(const Line& line, size_t input) const {
  const auto rules = line.rules.of(lines_->rules);
  return std::any_of(rules.begin(), rules.end(), [&](const LineRule& rule) { return rule.gives(input); });
}

// Adds a rule to the line that is being written, unless all its inputs are constants.
void Tape::add_rule(Line& line, Tensors inputs, const Rule& rule) {
  Lines& all = *lines_;
  const May& may = rule.may_;
  LineRule added{rule.function_, rule.kernel_, may.accumulate};
  added.saved_count = static_cast<uint8_t>(rule.saved_count_);
  bool tracked = false;
  for (const Tensor& input : std::span(rule.inputs_).first(rule.input_count_)) {
    if (!input) return;  // a bias that there is not
    size_t place = 0;    // the first that is this tensor and has no rule yet
    while (place < inputs.size() &&
           !(inputs[place] && inputs[place].is(input) && !has_rule(line, place) && !added.gives(place)))
      ++place;
    if (place == inputs.size()) fail(fmt::format("{}: a rule for a tensor that is none of its inputs", line.op));
    added.inputs[added.input_count++] = static_cast<uint8_t>(place);
    tracked |= all.inputs[line.inputs.first + place].line >= 0;
  }
  if (!tracked) return;
  for (size_t k = 0; k < rule.saved_count_; ++k) {
    added.saved[k] = SavedTensor(without_elements(rule.saved_[k]));
    for (size_t i = 0; i < rule.input_count_; ++i)
      if (may.overwrite[i] && may.overwrite[i].is(rule.saved_[k])) added.overwrite[i] = static_cast<int8_t>(k + 1);
  }
  if (may.overwrite_dy) added.overwrite[0] = 0;
  line.reads_product |= may.read_product;
  all.rules.push_back(std::move(added));
  ++line.rules.count;
}

// x, or if its elements can be computed again, the same without them: one tensor for all rules that save x.
Tensor Tape::without_elements(const Tensor& x) {
  if (options_.save_inputs || find(x) < 0 || x.version() > 0) return x;
  Line& producer = lines_->lines[static_cast<size_t>(find(x))];
  if (!producer.recompute) return x;
  if (!producer.replay) {
    producer.replay = Tensor::deferred(x.shape(), x.dtype(), producer.recompute);
    producer.replay.body().tape = number_;
    producer.replay.body().line = find(x);
  }
  return producer.replay;
}

Tensor record(const char* op, Tensors inputs, Tensor y, Rules rules, const Composed& composed) {
  Tape* tape = Tape::recording();
  if (tape && tape->write_line(op, inputs, y, rules, composed)) return y;
  if (y.deferral()) y.raw_data();
  y.body().recompute = {};
  return y;
}

void refuse_tracked(const char* op, Tensors inputs) {
  Tape* tape = Tape::recording();
  if (!tape) return;
  for (const Tensor& input : inputs)
    if (tape->line_of(input) >= 0)
      fail(fmt::format("{}: has no derivative; detach() its input or use it under a Pause", op));
}

Tensor Tape::watch(const Tensor& x) {
  if (!is_differentiable(x.dtype()))
    fail(fmt::format("watch: {} has no gradient, expected f32 or f64", name_of(x.dtype())));
  if (spent_) fail("watch: the tape is spent");
  if (x.body().tape != number_) add_leaf("watch", x);
  return x;
}

int32_t Tape::own_line(const char* caller, const Tensor& x) const {
  if (!x || x.body().tape != number_)
    fail(fmt::format("{}: the tensor is not on this tape; watch() it or compute it under the tape", caller));
  return x.body().line;
}

int32_t Tape::find(const Tensor& x) const { return x && x.body().tape == number_ ? x.body().line : -1; }

Pause::Pause() : tape_(open_tape) {
  if (!tape_) return;
  was_recording_ = tape_->recording_;
  tape_->recording_ = false;
}

Pause::~Pause() {
  if (tape_ && tape_ == open_tape) tape_->recording_ = was_recording_ && !tape_->spent_;
}

}  // namespace mixtape

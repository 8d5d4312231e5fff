#include "autograd/tape.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>

#include "autograd/error.h"
#include "autograd/ops.h"
#include "autograd/ops/accumulate.h"

namespace mixtape {

struct Tape::Line {
  const char* op;
  const Path* path;
  Shape shape;
  DType dtype;
  bool backward;    // written by a recorded backward pass
  int32_t rule_of;  // then by the rule of this line
  Tensor leaf;      // the parameter or watched input itself
  size_t inputs;    // first of its entries in Lines::inputs, and how many
  size_t input_count;
  size_t kept;  // likewise in Lines::kept
  size_t kept_count;
  size_t held;  // likewise in Lines::held, if inputs are kept; as many as inputs
  Rule rule;
  Composed composed;
  Again again = nullptr;
  int32_t users = 0;  // lines that keep its output and are still to be played, if it is computed again for them
};

struct HookEntry {
  int32_t line;
  std::weak_ptr<std::function<Tensor(const Tensor&)>> hook;
};

// What a tape writes. The vectors of an ended tape serve the next one on the same thread, so that a step allocates
// nothing.
struct Tape::Lines {
  std::vector<Line> lines;
  std::vector<int32_t> inputs;
  std::vector<Kept::Item> kept;
  std::vector<Kept::Item> held;
  std::vector<Tensor> gradients;
  std::vector<Tensor> outputs;  // that were computed again, until their line is played
  std::vector<char> needed;
  std::vector<char> wanted;  // gradient() will be asked for it
  std::vector<HookEntry> hooks;

  void clear() {
    lines.clear();
    inputs.clear();
    kept.clear();
    held.clear();
    gradients.clear();
    outputs.clear();
    needed.clear();
    wanted.clear();
    hooks.clear();
  }
};

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

std::atomic<uint64_t> tapes_opened{0};
thread_local Tape* open_tape = nullptr;

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
  Line& line = add_line(op, x);
  line.leaf = x;
  return size_ - 1;
}

Tape::Line& Tape::add_line(const char* op, const Tensor& y) {
  Lines& all = *lines_;
  all.lines.push_back({.op = op,
                       .path = current_path(),
                       .shape = y.shape(),
                       .dtype = y.dtype(),
                       .backward = in_backward_,
                       .rule_of = rule_of_,
                       .leaf = {},
                       .inputs = all.inputs.size(),
                       .input_count = 0,
                       .kept = all.kept.size(),
                       .kept_count = 0,
                       .held = all.held.size(),
                       .rule = {},
                       .composed = {}});
  y.body().tape = number_;
  y.body().line = size_++;
  return all.lines.back();
}

void Tape::write_line(const char* op, Tensors inputs, const Tensor& y, Keep keep, const Rule& rule,
                      const Composed& composed, Again again) {
  Lines& all = *lines_;
  const size_t first = all.inputs.size();
  bool tracked = false;
  for (const Tensor& input : inputs) {
    const int32_t line = line_of(input);
    all.inputs.push_back(line);
    tracked |= line >= 0;
  }
  if (!tracked) {
    all.inputs.resize(first);
    return;
  }
  Line& line = add_line(op, y);
  line.inputs = first;
  line.input_count = inputs.size();
  line.kept_count = keep.size();
  line.rule = rule;
  line.composed = composed;
  line.again = again;
  for (const Tensor& tensor : keep) keep_for(tensor);
  if (options_.keep_inputs) {
    for (const Tensor& tensor : inputs) all.held.emplace_back(tensor);
  }
}

void Tape::keep_for(const Tensor& x) {
  Lines& all = *lines_;
  const bool ours = x && x.body().tape == number_ && !options_.keep_inputs;
  if (ours && x.body().line + 1 < size_ && all.lines[static_cast<size_t>(x.body().line)].again) {
    ++all.lines[static_cast<size_t>(x.body().line)].users;
    all.kept.push_back(Kept::Item::computed_again(x.body().line));
  } else {
    all.kept.emplace_back(x);
  }
}

Tensor record(const char* op, Tensors inputs, Tensor y, Keep keep, Rule rule, Composed composed, Again again) {
  if (Tape* tape = Tape::recording()) tape->write_line(op, inputs, y, keep, rule, composed, again);
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
  Gradients gradients = rule(Kept(kept, inputs, all.needed, !playing.keep_tape), dy);
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

const Tape::Line& Tape::checked_line(int32_t index) const {
  if (index < 0 || index >= size_) fail(fmt::format("tape: line {} of {}", index, size_));
  return lines_->lines[static_cast<size_t>(index)];
}

LineView Tape::line(int32_t index) const {
  const Line& line = checked_line(index);
  LineView view{.line = index,
                .op = line.op,
                .path = to_string(line.path),
                .inputs = {},
                .shape = line.shape,
                .dtype = line.dtype,
                .keeps = {},
                .kept_bytes = 0,
                .backward = line.backward,
                .rule_of = line.rule_of};
  const auto inputs = lines_->inputs.begin() + static_cast<std::ptrdiff_t>(line.inputs);
  view.inputs.assign(inputs, inputs + static_cast<std::ptrdiff_t>(line.input_count));
  for (const Tensor& tensor : kept(index)) {
    view.keeps.push_back(find(tensor));
    view.kept_bytes += tensor.bytes();
  }
  if (line.leaf && line.leaf.body().name)
    view.path += (view.path.empty() ? "" : ".") + std::string(line.leaf.body().name);
  return view;
}

std::vector<Tensor> Tape::kept(int32_t index) const {
  const Line& line = checked_line(index);
  std::vector<Tensor> result;
  for (size_t k = line.kept; k < std::min(line.kept + line.kept_count, lines_->kept.size()); ++k) {
    if (const Tensor& tensor = lines_->kept[k].tensor) result.push_back(tensor);
  }
  return result;
}

int32_t Tape::find(const Tensor& x) const { return x && x.body().tape == number_ ? x.body().line : -1; }

int64_t Tape::kept_bytes() const {
  std::map<const detail::Storage*, int64_t> storages;
  for (const Kept::Item& item : lines_->kept) {
    if (item.tensor) storages[item.tensor.body().storage.get()] = item.tensor.body().storage->bytes;
  }
  int64_t bytes = 0;
  for (const auto& [storage, size] : storages) bytes += size;
  return bytes;
}

Pause::Pause() : tape_(open_tape) {
  if (!tape_) return;
  was_recording_ = tape_->recording_;
  tape_->recording_ = false;
}

Pause::~Pause() {
  if (tape_ && tape_ == open_tape) tape_->recording_ = was_recording_ && !tape_->spent_;
}

}  // namespace mixtape

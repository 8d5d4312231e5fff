#include "autograd/tape.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>

#include "autograd/error.h"
#include "autograd/tape_lines.h"

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

#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "autograd/tape/tape.h"
#include "autograd/tensors/recompute.h"

// For the files of the tape, and their tests, only.
namespace mixtape {

/// Some entries, one after the other, of a vector that all lines share.
struct Tape::Range {
  size_t first = 0, count = 0;

  template <class T>
  std::span<T> of(std::vector<T>& all) const {
    return std::span(all).subspan(first, count);
  }
};

/// One recorded op.
struct Tape::Line {
  const char* op;
  const Path* path;
  Shape shape;
  DType dtype;
  DType precision;   // of its products, in forward and in backward
  bool backward;     // written by a recorded backward pass
  int32_t rule_of;   // then by the rule of this line
  Tensor leaf = {};  // the parameter or watched input itself
  Range inputs, rules, held;
  Composed composed = {};
  Ref<Recompute> recompute = {};  // how its output follows from other tensors
  Tensor replay = {};             // its output, to be computed again, for the rules of other lines that save it
  bool reads_product = false;     // one of its rules can compute dy, if that is a product
};

/// An input of a line: its own line, -1 for a constant, and what its gradient looks like.
struct Tape::LineInput {
  int32_t line;
  DType dtype = f32;
  Shape shape = {};
};

/// A tensor, and what tells that it was written to since.
struct Tape::SavedTensor {
  Tensor tensor;
  uint32_t version = 0;

  SavedTensor() = default;
  explicit SavedTensor(const Tensor& saved) : tensor(saved), version(saved ? saved.version() : 0) {}
  bool overwritten() const { return tensor && tensor.version() != version; }
};

/// A rule of a line.
struct Tape::LineRule {
  Rule::Function function;
  bool kernel, accumulate;
  uint8_t input_count = 0, saved_count = 0;
  std::array<uint8_t, Rule::kMostInputs> inputs = {};  // places among those of the line
  std::array<SavedTensor, Rule::kMostSaved> saved = {};
  std::array<int8_t, Rule::kMostInputs> overwrite = {-1, -1, -1};  // by input; 0: dy, k + 1: saved[k]

  bool gives(size_t input) const { return std::find(&inputs[0], &inputs[input_count], input) != &inputs[input_count]; }
  bool overwrites() const { return std::count(overwrite.begin(), overwrite.end(), -1) < std::ssize(overwrite); }
};

struct HookEntry {
  int32_t line;
  std::weak_ptr<std::function<Tensor(const Tensor&)>> hook;
};

/// What a tape writes. The vectors of an ended tape serve the next one on the same thread, so that a step allocates
/// nothing.
struct Tape::Lines {
  std::vector<Line> lines;
  std::vector<LineInput> inputs;
  std::vector<LineRule> rules;
  std::vector<SavedTensor> held;
  std::vector<Tensor> gradients;
  std::vector<char> needed;
  std::vector<char> wanted;     // gradient() will be asked for it
  std::vector<uint32_t> order;  // in Lines::rules: the rules of the line that is played, as they are played
  std::vector<HookEntry> hooks;

  void clear() {
    lines.clear();
    inputs.clear();
    gradients.clear();
    needed.clear();
    wanted.clear();
    order.clear();
    hooks.clear();
    release();
  }
  void release() {
    rules.clear();
    held.clear();
  }
};

}  // namespace mixtape

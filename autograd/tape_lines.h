#pragma once

#include <vector>

#include "autograd/tape.h"

namespace mixtape {

/// One recorded op. For the files of the tape only, as all here.
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

/// What a tape writes. The vectors of an ended tape serve the next one on the same thread, so that a step allocates
/// nothing.
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

}  // namespace mixtape

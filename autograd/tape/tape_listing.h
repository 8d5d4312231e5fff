#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/tape/tape.h"

namespace mixtape {

/// One recorded line, as the listing shows it.
struct LineView {
  int32_t line;                 ///< its number, also its name: %12
  const char* op;               ///< `softmax`; `parameter` and `watch` for what was not computed on the tape
  std::string path;             ///< the layer, or the full name of a parameter
  std::vector<int32_t> inputs;  ///< lines; -1 for a constant
  Shape shape;                  ///< of the output
  DType dtype;
  std::vector<int32_t> saved;  ///< lines of what its rules read in backward; -1: on none, a constant or a copy
  int64_t saved_bytes;         ///< of it, as far as it is held and not computed again
  bool backward;               ///< written by a recorded backward pass
  int32_t rule_of;             ///< then the line whose rule wrote it; -1 for a line of the forward pass
};

/// The tape as text, a line each: `%3 = softmax(%2)  f32[4, 10]  saves %3, 160 B  encoder.layer.0.attention`. What the
/// rule of line 3 wrote in a recorded backward pass ends in `backward of %3`.
std::string to_string(const Tape& tape);
/// The same as JSON: {"trains", "lines": [{"line", "op", "path", "inputs", "shape", "dtype", "saved", "saved_bytes",
/// "backward", "rule_of"}]}.
std::string to_json(const Tape& tape);
/// The same as a graph for Graphviz.
std::string to_dot(const Tape& tape);

}  // namespace mixtape

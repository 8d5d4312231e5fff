#include <fmt/format.h>

#include "autograd/tape.h"

namespace mixtape {
namespace {

std::string inputs_text(const LineView& line) {
  std::string text;
  for (int32_t input : line.inputs) {
    if (!text.empty()) text += ", ";
    text += input < 0 ? "constant" : fmt::format("%{}", input);
  }
  return text;
}

std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace

std::string to_string(const Tape& tape) {
  std::string text = fmt::format("tape that {}: {} lines, {} bytes kept\n",
                                 tape.trains() ? "trains" : "only differentiates (dropout passes everything through)",
                                 tape.size(), tape.kept_bytes());
  for (int32_t i = 0; i < tape.size(); ++i) {
    const LineView line = tape.line(i);
    text +=
        fmt::format("%{} = {}({})  {}{}", i, line.op, inputs_text(line), name_of(line.dtype), to_string(line.shape));
    if (line.kept_bytes > 0) text += fmt::format("  keeps {} B", line.kept_bytes);
    if (line.backward) text += "  backward";
    if (!line.path.empty()) text += "  " + line.path;
    text += '\n';
  }
  return text;
}

std::string to_json(const Tape& tape) {
  std::string text = fmt::format("{{\"trains\": {}, \"lines\": [", tape.trains());
  for (int32_t i = 0; i < tape.size(); ++i) {
    const LineView line = tape.line(i);
    text += fmt::format(
        "{}\n {{\"line\": {}, \"op\": {}, \"path\": {}, \"inputs\": [{}], \"shape\": [{}], \"dtype\": \"{}\", "
        "\"kept_bytes\": {}, \"backward\": {}}}",
        i > 0 ? "," : "", line.line, json_text(line.op), json_text(line.path), fmt::join(line.inputs, ", "),
        fmt::join(line.shape.begin(), line.shape.end(), ", "), name_of(line.dtype), line.kept_bytes, line.backward);
  }
  return text + "\n]}\n";
}

std::string to_dot(const Tape& tape) {
  std::string text = "digraph tape {\n  node [shape=box];\n";
  for (int32_t i = 0; i < tape.size(); ++i) {
    const LineView line = tape.line(i);
    const bool leaf = line.inputs.empty();
    text += fmt::format("  n{} [label=\"%{} {}\\n{}{}\"{}];\n", i, i, leaf && !line.path.empty() ? line.path : line.op,
                        name_of(line.dtype), to_string(line.shape), leaf ? ", style=rounded" : "");
    for (int32_t input : line.inputs)
      if (input >= 0) text += fmt::format("  n{} -> n{};\n", input, i);
  }
  return text + "}\n";
}

}  // namespace mixtape

#include <fmt/format.h>

#include "autograd/json.h"
#include "autograd/tape.h"

namespace mixtape {
namespace {

std::string names_of(const std::vector<int32_t>& lines) {
  std::string text;
  for (int32_t line : lines) {
    if (!text.empty()) text += ", ";
    text += line < 0 ? "constant" : fmt::format("%{}", line);
  }
  return text;
}

Json::Array to_array(const std::vector<int32_t>& lines) { return {lines.begin(), lines.end()}; }

}  // namespace

std::string to_string(const Tape& tape) {
  std::string text = fmt::format("tape that {}: {} lines, {} bytes kept\n",
                                 tape.trains() ? "trains" : "only differentiates (dropout passes everything through)",
                                 tape.size(), tape.kept_bytes());
  for (int32_t i = 0; i < tape.size(); ++i) {
    const LineView line = tape.line(i);
    text += fmt::format("%{} = {}({})  {}{}", i, line.op, names_of(line.inputs), name_of(line.dtype),
                        to_string(line.shape));
    if (line.kept_bytes > 0) text += fmt::format("  keeps {}, {} B", names_of(line.keeps), line.kept_bytes);
    if (line.backward) text += line.rule_of < 0 ? "  backward" : fmt::format("  backward of %{}", line.rule_of);
    if (!line.path.empty()) text += "  " + line.path;
    text += '\n';
  }
  return text;
}

std::string to_json(const Tape& tape) {
  Json::Array lines;
  for (int32_t i = 0; i < tape.size(); ++i) {
    const LineView line = tape.line(i);
    lines.push_back({{"line", line.line},
                     {"op", line.op},
                     {"path", line.path},
                     {"inputs", to_array(line.inputs)},
                     {"shape", Json::Array(line.shape.begin(), line.shape.end())},
                     {"dtype", name_of(line.dtype)},
                     {"keeps", to_array(line.keeps)},
                     {"kept_bytes", line.kept_bytes},
                     {"backward", line.backward},
                     {"rule_of", line.rule_of}});
  }
  return to_text({{"trains", tape.trains()}, {"lines", std::move(lines)}}, 1);
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

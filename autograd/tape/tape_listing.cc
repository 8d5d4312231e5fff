#include "autograd/tape/tape_listing.h"

#include <fmt/format.h>

#include <map>

#include "autograd/files/json.h"
#include "autograd/tape/internal/tape_lines.h"
#include "autograd/tensors/error.h"

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

// Of a tensor that was saved: of one without elements, that of its sources which nobody else holds.
int64_t held_bytes(const Tensor& x) {
  const Recompute* deferral = x.deferral();
  if (!deferral) return x.bytes();
  int64_t bytes = 0;
  for (const Tensor& source : deferral->sources()) bytes += source.unique() ? source.bytes() : 0;
  return bytes;
}

}  // namespace

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
                .saved = {},
                .saved_bytes = 0,
                .backward = line.backward,
                .rule_of = line.rule_of};
  for (const LineInput& input : line.inputs.of(lines_->inputs)) view.inputs.push_back(input.line);
  for (const Tensor& tensor : saved(index)) {
    view.saved.push_back(find(tensor));
    view.saved_bytes += held_bytes(tensor);
  }
  if (line.leaf && line.leaf.body().name)
    view.path += (view.path.empty() ? "" : ".") + std::string(line.leaf.body().name);
  return view;
}

std::vector<Tensor> Tape::saved(int32_t index) const {
  const Line& line = checked_line(index);
  std::vector<Tensor> result;
  if (lines_->rules.empty()) return result;
  for (const LineRule& rule : line.rules.of(lines_->rules))
    for (const SavedTensor& item : rule.saved)
      if (item.tensor) result.push_back(item.tensor);
  return result;
}

int64_t Tape::saved_bytes() const {
  std::map<const detail::Storage*, int64_t> storages;
  const auto count = [&](const Tensor& tensor) {
    if (const detail::Storage* storage = tensor.body().storage.get()) storages[storage] = storage->bytes;
  };
  for (int32_t line = 0; line < size_; ++line) {
    for (const Tensor& tensor : saved(line)) {
      count(tensor);
      if (const Recompute* deferral = tensor.deferral())
        for (const Tensor& source : deferral->sources()) count(source);
    }
  }
  int64_t bytes = 0;
  for (const auto& [storage, size] : storages) bytes += size;
  return bytes;
}

std::string to_string(const Tape& tape) {
  std::string text = fmt::format("tape that {}: {} lines, {} bytes saved\n",
                                 tape.trains() ? "trains" : "only differentiates (dropout passes everything through)",
                                 tape.size(), tape.saved_bytes());
  for (int32_t i = 0; i < tape.size(); ++i) {
    const LineView line = tape.line(i);
    text += fmt::format("%{} = {}({})  {}{}", i, line.op, names_of(line.inputs), name_of(line.dtype),
                        to_string(line.shape));
    if (line.saved_bytes > 0) text += fmt::format("  saves {}, {} B", names_of(line.saved), line.saved_bytes);
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
                     {"saved", to_array(line.saved)},
                     {"saved_bytes", line.saved_bytes},
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

#include "examples/common/checkpoint.h"

#include <fmt/format.h>

#include <charconv>

#include "autograd/files/file.h"
#include "autograd/files/safetensors.h"
#include "autograd/tensors/error.h"

namespace mixtape::examples {
namespace {

template <class Number>
Number read_number(const Metadata& metadata, const std::string& key, const std::string& path,
                   Number lowest = Number(0)) {
  const auto found = metadata.find(key);
  Number number = 0;
  if (found != metadata.end()) {
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number >= lowest) return number;
  }
  fail(fmt::format("{}: not a checkpoint of a training run: no `{}`", path, key));
}

}  // namespace

void save_checkpoint(const std::string& path, const TrainingState& state, const TensorGroups& groups) {
  NamedTensors all;
  for (const auto& [group, tensors] : groups)
    for (const NamedTensor& x : tensors) all.push_back({group + "." + x.name, x.tensor});
  const Metadata metadata{
      {"step", fmt::format("{}", state.step)},       {"total", fmt::format("{}", state.total)},
      {"epoch", fmt::format("{}", state.epoch)},     {"batch", fmt::format("{}", state.batch)},
      {"seconds", fmt::format("{}", state.seconds)}, {"evaluated", fmt::format("{}", state.evaluated)},
      {"best", fmt::format("{}", state.best)},       {"since_best", fmt::format("{}", state.since_best)}};
  write_atomically(path, to_safetensors(all, metadata));
}

Checkpoint load_checkpoint(const std::string& path) {
  const Safetensors file = from_safetensors(read_file(path), path);
  Checkpoint checkpoint;
  checkpoint.state = {.step = read_number<int64_t>(file.metadata, "step", path),
                      .total = read_number<int64_t>(file.metadata, "total", path),
                      .epoch = read_number<int64_t>(file.metadata, "epoch", path),
                      .batch = read_number<int64_t>(file.metadata, "batch", path),
                      .seconds = read_number<double>(file.metadata, "seconds", path),
                      .evaluated = read_number<int64_t>(file.metadata, "evaluated", path),
                      .best = read_number(file.metadata, "best", path, -std::numeric_limits<double>::infinity()),
                      .since_best = read_number<int64_t>(file.metadata, "since_best", path)};
  for (const NamedTensor& x : file.tensors) {
    const size_t dot = x.name.find('.');
    if (dot == std::string::npos)
      fail(fmt::format("{}: not a checkpoint of a training run: a tensor is named {}", path, x.name));
    checkpoint.groups[x.name.substr(0, dot)].push_back({x.name.substr(dot + 1), x.tensor});
  }
  return checkpoint;
}

}  // namespace mixtape::examples

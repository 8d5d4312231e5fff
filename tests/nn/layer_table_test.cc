#include "tests/nn/layer_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>

#include "autograd/files/file.h"
#include "autograd/ops.h"
#include "autograd/tape/gradcheck.h"
#include "autograd/tape/tape.h"
#include "autograd/tape/tape_listing.h"
#include "nn/layer.h"
#include "nn/save.h"
#include "nn/summary.h"
#include "tests/nn/numbers.h"
#include "tests/temporary_folder.h"
#include "tests/text.h"

using namespace mixtape;
using tests::matches_of;
using tests::TemporaryFolder;

namespace {

std::vector<std::string> names_of(const NamedTensors& tensors) {
  std::vector<std::string> names;
  for (const NamedTensor& x : tensors) names.push_back(x.name);
  return names;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("layer_table: it lists every layer of nn") {
  std::set<std::string> listed, defined;
  for (const LayerRow& row : layer_table()) listed.insert(row.type);
  for (const auto& entry : std::filesystem::directory_iterator(MIXTAPE_SOURCE_DIR "/nn")) {
    if (entry.path().extension() != ".h") continue;
    const std::string text = read_file(entry.path().string());
    for (const auto& match : matches_of(R"(^(?!///).*struct (\w+) (?:final )?: Layer<\1>)", text))
      defined.insert(match[1]);
  }
  CHECK(defined.size() >= 15);
  CHECK(defined == listed);
}

TEST_CASE("layer_table: first and second derivatives by inputs and parameters equal finite differences") {
  for (const LayerRow& row : layer_table()) {
    CAPTURE(row.name);
    std::vector<Tensor> free = row.inputs;
    for (const NamedTensor& x : nn::parameters(*row.model)) free.push_back(x.tensor);
    const GradcheckResult result = gradcheck(
        [&](const std::vector<Tensor>& in) {
          return row.call({in.begin(), in.begin() + static_cast<std::ptrdiff_t>(row.inputs.size())});
        },
        free, {.tolerance = 1e-6, .random = row.random});
    CHECK_MESSAGE(result.passed, result.message);
  }
}

TEST_CASE("layer_table: visit lists what forward uses, and every parameter gets a gradient") {
  for (const LayerRow& row : layer_table()) {
    CAPTURE(row.name);
    const NamedTensors parameters = nn::parameters(*row.model);
    Tape tape(TapeOptions{.random = row.random});
    for (const Tensor& x : row.inputs) tape.watch(x);
    const Tensor y = row.call(row.inputs);
    std::vector<std::string> used;
    for (int32_t i = 0; i < tape.size(); ++i)
      if (std::string(tape.line(i).op) == "parameter") used.push_back(tape.line(i).path);
    CHECK(sorted(used) == sorted(names_of(parameters)));

    tape.backward(sum(y * Random(5).normal(y.shape(), 0, 1, f64)));
    for (const NamedTensor& x : parameters) {
      CAPTURE(x.name);
      REQUIRE(x.tensor.gradient());
      // A constant added to all keys changes no attention weight.
      if (!matches(x.name, "*key.bias")) CHECK(largest_magnitude(x.tensor.gradient()) > 1e-6);
    }
  }
}

TEST_CASE("layer_table: dotted names are those of existing files") {
  for (const LayerRow& row : layer_table()) {
    CAPTURE(row.name);
    CHECK(names_of(nn::named_tensors(*row.model)) == row.names);
  }
}

TEST_CASE("layer_table: saved and loaded bit for bit") {
  const TemporaryFolder folder;
  const std::string path = folder.file("layer.safetensors");
  for (const LayerRow& row : layer_table()) {
    CAPTURE(row.name);
    const NamedTensors before = clone(nn::named_tensors(*row.model));
    const Tensor y = row.call(row.inputs);
    nn::save(*row.model, path);
    for (const NamedTensor& x : nn::named_tensors(*row.model)) x.tensor.fill(0.5);
    nn::load(*row.model, path);
    const NamedTensors after = nn::named_tensors(*row.model);
    for (size_t i = 0; i < before.size(); ++i) CHECK(same_bits(after[i].tensor, before[i].tensor));
    CHECK(same_bits(row.call(row.inputs), y));
  }
}

TEST_CASE("layer_table: observers see each call with its type, and summaries list it") {
  for (const LayerRow& row : layer_table()) {
    CAPTURE(row.name);
    std::string last;
    {
      const nn::ForwardObserver observer({}, [&](const std::string& path, const std::string& type, const Tensor&) {
        if (path.empty()) last = type;
      });
      row.call(row.inputs);
    }
    CHECK(last == row.type);
    const std::string text = nn::summary(*row.model, [&] { row.call(row.inputs); });
    CHECK(text.find(" " + row.type + " ") != std::string::npos);
    CHECK(text.find("total: ") != std::string::npos);
  }
}

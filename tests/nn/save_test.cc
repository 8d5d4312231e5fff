#include "nn/save.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "autograd/tensors/error.h"
#include "nn/nn.h"
#include "tests/nn/numbers.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using tests::TemporaryFolder;

namespace {

nn::FeedForward feed_forward(int64_t hidden, uint64_t seed) {
  Random random(seed);
  return {3, hidden, nn::Activation::relu, 0, random};
}

// The message of load about a file, without the file's name.
template <class Model>
std::string refusal(const Model& model, const std::string& path) {
  const NamedTensors before = clone(nn::named_tensors(model));
  try {
    nn::load(model, path);
  } catch (const Error& error) {
    const NamedTensors after = nn::named_tensors(model);
    for (size_t i = 0; i < after.size(); ++i) CHECK(same_bits(after[i].tensor, before[i].tensor));
    const std::string text = error.what();
    CHECK(text.find(path) != std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
    return text.starts_with(path + ": ") ? text.substr(path.size() + 2) : text;
  }
  return "none";
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("save: load restores what was saved, metadata included") {
  const TemporaryFolder folder;
  const std::string path = folder.file("model.safetensors");
  const nn::FeedForward model = feed_forward(5, 1), other = feed_forward(5, 2);
  CHECK_FALSE(same_bits(other.up.weight, model.up.weight));
  nn::save(model, path, {{"step", "12"}});
  CHECK(nn::load(other, path) == Metadata{{"step", "12"}});
  CHECK(same_bits(other.up.weight, model.up.weight));
  CHECK(same_bits(other.down.bias, model.down.bias));
  CHECK(other.up.weight.is_parameter());
  const std::string first = bytes_of(path);
  nn::save(other, path, {{"step", "12"}});
  CHECK(bytes_of(path) == first);
}

TEST_CASE("save: a file of another model throws, with the differences") {
  const TemporaryFolder folder;
  const std::string path = folder.file("model.safetensors");
  nn::save(feed_forward(5, 1), path);
  CHECK(refusal(feed_forward(4, 1), path) ==
        "does not fit: up.weight is [5, 3], expected [4, 3]; up.bias is [5], expected [4]; "
        "down.weight is [3, 5], expected [3, 4]");
  Random random(1);
  CHECK(refusal(nn::Linear(3, 5, random), path) ==
        "does not fit: missing weight [5, 3]; missing bias [5]; unknown down.bias [3]; unknown down.weight [3, 5]; "
        "unknown up.bias [5]; unknown up.weight [5, 3]");
  const nn::Transformer large({.vocab = 9, .block = {.width = 8, .heads = 2}, .layers = 2}, random);
  CHECK(refusal(large, path).ends_with("and 73 more"));
}

TEST_CASE("save: damaged and missing files throw, and change nothing") {
  const TemporaryFolder folder;
  const std::string path = folder.file("model.safetensors");
  const nn::FeedForward model = feed_forward(5, 1);
  nn::save(model, path);
  const std::string good = bytes_of(path);
  for (const size_t size : {size_t{0}, size_t{7}, size_t{40}, good.size() - 1}) {
    CAPTURE(size);
    folder.write("model.safetensors", good.substr(0, size));
    CHECK(refusal(model, path).starts_with("not a safetensors file: "));
  }
  std::string wrong = good;
  wrong[20] = '\x01';
  folder.write("model.safetensors", wrong);
  CHECK(refusal(model, path) != "none");
  folder.write("model.safetensors", good + "x");
  CHECK(refusal(model, path) == "not a safetensors file: 1 bytes follow the last tensor");
  CHECK(refusal(model, folder.file("none.safetensors")).ends_with("No such file or directory"));
}

TEST_CASE("save: f32 files load into f64 models, and vice versa") {
  const TemporaryFolder folder;
  const std::string path = folder.file("model.safetensors");
  const nn::FeedForward model = feed_forward(5, 1), wide = feed_forward(5, 2), back = feed_forward(5, 3);
  nn::to(wide, f64);
  nn::save(model, path);
  nn::load(wide, path);
  CHECK(wide.up.weight.dtype() == f64);
  CHECK(largest_difference(wide.up.weight, model.up.weight) == 0);
  nn::save(wide, path);
  nn::load(back, path);
  CHECK(same_bits(back.up.weight, model.up.weight));
}

TEST_CASE("save: tied tables are saved once") {
  const TemporaryFolder folder;
  const std::string path = folder.file("model.safetensors");
  Random random(1);
  const nn::LanguageModelOptions options{
      .vocab = 50, .block = {.width = 8, .heads = 2}, .layers = 1, .tie_embeddings = true};
  const nn::LanguageModel model(options, random), other(options, random);
  nn::save(model, path);
  nn::load(other, path);
  CHECK(same_bits(other(pack({{1, 2, 3}})), model(pack({{1, 2, 3}}))));
  const auto parameters = static_cast<size_t>(4 * nn::count_parameters(model));
  CHECK(bytes_of(path).size() > parameters);
  CHECK(bytes_of(path).size() < parameters + 4000);
}

TEST_CASE("save: a missing folder") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(nn::save(feed_forward(5, 1), folder.file("none/model.safetensors")), Error);
  CHECK(std::filesystem::is_empty(folder.path()));
}

#include "nn/layer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "autograd/ops.h"
#include "autograd/tape/tape_listing.h"
#include "autograd/tensors/error.h"
#include "nn/nn.h"
#include "tests/nn/numbers.h"

using namespace mixtape;

namespace {

// Layers with every kind of member: single, in a vector, optional, and a tensor with two names.
struct Block : nn::Layer<Block> {
  nn::Linear inner;

  explicit Block(Random& random) : inner(2, 2, random) {}
  Tensor forward(const Tensor& x) const { return inner(x); }
  void visit(auto&& each) const { each("inner", inner); }
};

struct Model : nn::Layer<Model> {
  nn::Linear first;
  std::vector<Block> block;
  std::optional<nn::Linear> last;
  Tensor tied, missing, count;

  explicit Model(Random& random) : first(2, 2, random), tied(first.weight), count(Tensor::full({1}, 7).as_buffer()) {
    block.reserve(1);
    block.emplace_back(random);
  }
  Tensor forward(const Tensor& x) const {
    Tensor y = first(x);
    for (const Block& each : block) y = each(y);
    return last ? (*last)(y) : y;
  }
  void visit(auto&& each) const {
    each("first", first);
    each("block", block);
    each("last", last);
    each("tied", tied);
    each("missing", missing);
    each("count", count);
  }
};

struct Outer : nn::Layer<Outer> {
  nn::Transformer translator;

  explicit Outer(Random& random)
      : translator({.vocab = 5, .block = {.width = 4, .heads = 2, .feed_forward = 4}, .layers = 1}, random) {}
  Tensor forward(const Packed& x) const { return translator(x, x); }
  void visit(auto&& each) const { each("translator", translator); }
};

std::string joined_names(const NamedTensors& tensors) {
  std::string text;
  for (const NamedTensor& x : tensors) text += (text.empty() ? "" : " ") + x.name;
  return text;
}

// Paths and types of the layers that run.
std::vector<std::string> calls_of(const Model& model, const Tensor& x) {
  std::vector<std::string> calls;
  const nn::ForwardObserver observer(
      {}, [&](const std::string& path, const std::string& type, const Tensor&) { calls.push_back(path + ":" + type); });
  model(x);
  return calls;
}

using Calls = std::vector<std::string>;
const Tensor kGood = Tensor::ones({3, 2}), kBad = Tensor::ones({3, 5});

}  // namespace

TEST_CASE("layer: names of children in vectors and optionals, of tied, missing and buffered tensors") {
  Random random(1);
  Model model(random);
  CHECK(joined_names(nn::named_tensors(model)) ==
        "first.weight first.bias block.0.inner.weight block.0.inner.bias count");
  CHECK(joined_names(nn::parameters(model)) == "first.weight first.bias block.0.inner.weight block.0.inner.bias");
  CHECK(nn::count_parameters(model) == 12);
  model.last.emplace(2, 4, random);
  CHECK(joined_names(nn::parameters(model)).ends_with("block.0.inner.bias last.weight last.bias"));
  CHECK(nn::count_parameters(model) == 24);
}

TEST_CASE("layer: an error names the path of the layer it happened in") {
  Random random(1);
  const nn::TransformerOptions options{.vocab = 5, .block = {.width = 4, .heads = 2, .feed_forward = 4}, .layers = 1};
  const nn::Transformer model(options, random);
  model.encoder.layer[0].attention.query.weight.assign(Tensor::zeros({4, 3}));
  const char* message =
      "linear: input [2, 4] and weight [4, 3], expected [..., in] and [out, in] "
      "(in encoder.layer.0.attention.query)";
  CHECK_THROWS_WITH_AS(model(pack({{1, 2}}), pack({{3}})), message, Error);
  CHECK_THROWS_WITH_AS(model.start(pack({{1, 2}}), 1), message, Error);

  const nn::Transformer other(options, random);
  other.decoder.layer[0].cross.key.bias.assign(Tensor::zeros({3}));
  message = "linear: bias [3] for weight [4, 4], expected [4] (in decoder.layer.0.cross.key)";
  CHECK_THROWS_WITH_AS(other(pack({{1, 2}}), pack({{3}})), message, Error);
  CHECK_THROWS_WITH_AS(other.start(pack({{1, 2}}), 1), message, Error);
  CHECK_THROWS_WITH_AS(Tensor::ones({2}).item(), "item: [2] has 2 elements, expected 1", Error);
}

TEST_CASE("layer: a layer that calls its own member functions runs under its path once") {
  Random random(1);
  const nn::Transformer model({.vocab = 5, .block = {.width = 4, .heads = 2, .feed_forward = 4}, .layers = 1}, random);
  int calls = 0;
  Shape shape;
  const Hook hook = model.on_forward([&](const Tensor& y) {
    ++calls;
    shape = y.shape();
    return Tensor();
  });
  model(pack({{1, 2}}), pack({{3, 4, 0}}));
  CHECK(calls == 1);
  CHECK(shape == Shape{3, 5});
  model.encode(pack({{1, 2}}));
  CHECK(calls == 2);
  CHECK(shape == Shape{2, 4});

  const Outer outer(random);
  std::vector<std::string> paths;
  const nn::ForwardObserver observer(
      {}, [&](const std::string& path, const std::string&, const Tensor&) { paths.push_back(path); });
  outer(pack({{1, 2}}));
  CHECK(std::count(paths.begin(), paths.end(), "translator") == 1);
  CHECK(std::count(paths.begin(), paths.end(), "translator.encoder.layer.0") == 1);
  CHECK(std::count(paths.begin(), paths.end(), "translator.positions") == 2);
  for (const std::string& path : paths) CHECK(path.find("translator.translator") == std::string::npos);
}

TEST_CASE("layer: the tape's listing names layers and parameters") {
  Random random(1);
  Model model(random);
  model.last.emplace(2, 4, random);
  Tape tape;
  model(kGood);
  std::string lines;
  for (int32_t i = 0; i < tape.size(); ++i) lines += std::string(tape.line(i).op) + " " + tape.line(i).path + "\n";
  CHECK(lines ==
        "parameter first.weight\nparameter first.bias\nlinear first\n"
        "parameter block.0.inner.weight\nparameter block.0.inner.bias\nlinear block.0.inner\n"
        "parameter last.weight\nparameter last.bias\nlinear last\n");
  CHECK(to_string(tape).find("linear(%2, %3, %4)  f32[3, 2]") != std::string::npos);
}

TEST_CASE("layer: layers added after the first call get names, even if the vector reallocates") {
  Random random(1);
  Model model(random);
  CHECK(calls_of(model, kGood) == Calls{"first:Linear", "block.0.inner:Linear", "block.0:Block", ":Model"});
  model.block.emplace_back(random);
  model.block.emplace_back(random);
  model.last.emplace(2, 4, random);
  CHECK(calls_of(model, kGood) == Calls{"first:Linear", "block.0.inner:Linear", "block.0:Block", "block.1.inner:Linear",
                                        "block.1:Block", "block.2.inner:Linear", "block.2:Block", "last:Linear",
                                        ":Model"});
  model.block.erase(model.block.begin());
  CHECK(calls_of(model, kGood)[2] == "block.0:Block");
  CHECK(calls_of(model, kGood)[4] == "block.1:Block");
}

TEST_CASE("layer: copies share tensors and have their own path") {
  Random random(1);
  const Model model(random);
  model(kGood);
  const Model copy = model;
  CHECK(copy.first.weight.is(model.first.weight));
  model.first.bias.fill(3);
  CHECK(same_bits(copy(kGood), model(kGood)));
  CHECK_THROWS_WITH_AS(copy(kBad),
                       "linear: input [3, 5] and weight [2, 2], expected [..., in] and [out, in] (in first)", Error);

  const Block alone = model.block[0];
  CHECK_THROWS_WITH_AS(alone(kBad),
                       "linear: input [3, 5] and weight [2, 2], expected [..., in] and [out, in] (in inner)", Error);
}

TEST_CASE("layer: conversion to f64 and back includes buffers, but not indices") {
  Random random(1);
  Model model(random);
  const NamedTensors before = clone(nn::named_tensors(model));
  const Tensor f32_result = model(kGood);
  model.count.assign(Tensor::from(std::vector<int32_t>{7}, {1}));
  nn::to(model, f64);
  CHECK(model.first.weight.dtype() == f64);
  CHECK(model.first.weight.is_parameter());
  CHECK(model.tied.is(model.first.weight));
  CHECK(model.count.dtype() == i32);
  CHECK(largest_difference(model(kGood.to(f64)), f32_result) < 1e-6);
  CHECK_THROWS_WITH_AS(model(kGood), doctest::Contains("dtypes differ"), Error);
  nn::to(model, f32);
  const NamedTensors after = nn::parameters(model);
  for (size_t i = 0; i < after.size(); ++i) CHECK(same_bits(after[i].tensor, before[i].tensor));
  CHECK_THROWS_WITH_AS(nn::to(model, i32), "to: i32, expected f32 or f64", Error);
}

TEST_CASE("layer: a hook sees the output, and may replace it") {
  Random random(1);
  const Model model(random);
  Tensor seen;
  Hook look = model.first.on_forward([&](const Tensor& y) {
    seen = y;
    return Tensor();
  });
  const Tensor y = model(kGood);
  CHECK(same_bits(seen, model.first(kGood)));
  seen = {};
  look.remove();
  model(kGood);
  CHECK_FALSE(seen);

  {
    const Hook twice = model.first.on_forward([](const Tensor& x) { return x * 2.0; });
    const Hook more = model.first.on_forward([](const Tensor& x) { return x + 1.0; });
    CHECK(same_bits(model(kGood), model.block[0](model.first.forward(kGood) * 2.0 + 1.0)));
  }
  CHECK(same_bits(model(kGood), y));
}

TEST_CASE("layer: gradients flow through what a hook returns") {
  Random random(1);
  const nn::Linear layer(2, 3, random);
  const Hook hook = layer.on_forward([](const Tensor& x) { return x * 5.0; });
  Tape tape;
  tape.backward(sum(layer(kGood)));
  CHECK(layer.bias.gradient().values() == std::vector<double>(3, 15));
}

TEST_CASE("layer: a hook that returns another shape or dtype throws, with the path") {
  Random random(1);
  const Model model(random);
  model(kGood);
  Hook hook = model.block[0].on_forward([](const Tensor&) { return Tensor::zeros({3, 3}); });
  CHECK_THROWS_WITH_AS(model(kGood), "hook: it returned f32 [3, 3] for an output of f32 [3, 2] (in block.0)", Error);
  hook = model.block[0].on_forward([](const Tensor& x) { return x.to(f64); });
  CHECK_THROWS_WITH_AS(model(kGood), "hook: it returned f64 [3, 2] for an output of f32 [3, 2] (in block.0)", Error);
}

TEST_CASE("layer: hooks may remove and add hooks while they run") {
  Random random(1);
  const nn::Linear layer(2, 2, random);
  int first = 0, second = 0;
  Hook own, added;
  own = layer.on_forward([&](const Tensor&) {
    ++first;
    own.remove();
    added = layer.on_forward([&](const Tensor&) {
      ++second;
      return Tensor();
    });
    return Tensor();
  });
  layer(kGood);
  CHECK(first == 1);
  CHECK(second == 0);
  layer(kGood);
  CHECK(first == 1);
  CHECK(second == 1);
}

TEST_CASE("layer: paths are correct after a hook has thrown") {
  Random random(1);
  const Model model(random);
  {
    const Hook hook =
        model.block[0].inner.on_forward([](const Tensor&) -> Tensor { throw std::runtime_error("a hook's own"); });
    CHECK_THROWS_WITH_AS(model(kGood), "a hook's own", std::runtime_error);
  }
  CHECK(current_path() == nullptr);
  CHECK_THROWS_WITH_AS(model(kBad),
                       "linear: input [3, 5] and weight [2, 2], expected [..., in] and [out, in] (in first)", Error);
  CHECK(calls_of(model, kGood).back() == ":Model");
}

TEST_CASE("layer: observers nest, and see layers start and end") {
  Random random(1);
  const Model model(random);
  int entered = 0, outer = 0, inner = 0;
  const nn::ForwardObserver all([&] { ++entered; },
                                [&](const std::string&, const std::string&, const Tensor&) { ++outer; });
  {
    const nn::ForwardObserver some({}, [&](const std::string&, const std::string&, const Tensor& y) {
      ++inner;
      CHECK(y.shape() == Shape{3, 2});
    });
    model(kGood);
  }
  CHECK_THROWS_AS(model(kBad), Error);
  CHECK(entered == 6);
  CHECK(outer == 4);
  CHECK(inner == 4);
}

TEST_CASE("layer: frozen parameters get no gradient, and are still parameters") {
  Random random(1);
  const Model model(random);
  model.first.weight.set_trainable(false);
  Tape tape;
  tape.backward(sum(model(kGood)));
  CHECK_FALSE(model.first.weight.gradient());
  CHECK(model.first.bias.gradient());
  CHECK(model.block[0].inner.weight.gradient());
  CHECK(joined_names(nn::parameters(model)).starts_with("first.weight first.bias"));
}

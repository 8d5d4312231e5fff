#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "autograd/tape/gradcheck.h"
#include "examples/extend/gated_linear.h"
#include "examples/extend/hard_swish.h"
#include "examples/extend/softplus.h"
#include "nn/save.h"
#include "nn/summary.h"
#include "tests/temporary_folder.h"

using namespace mixtape;

TEST_CASE("extend: an op of the reader's own passes the gradient check") {
  const Tensor x = Tensor::from(std::vector<double>{-2, -0.5, 0, 1, 3}, {5}, f64);
  const GradcheckResult result = gradcheck([](const std::vector<Tensor>& in) { return extend::softplus(in[0]); }, {x});
  CHECK_MESSAGE(result.passed, result.message);
  CHECK(extend::softplus(x).values()[2] == doctest::Approx(0.6931471805599453));

  Tape tape;
  tape.watch(x);
  tape.backward(sum(extend::softplus(x)));
  CHECK(tape.gradient(x).values()[2] == doctest::Approx(0.5));
}

TEST_CASE(
    "extend: an op with a kernel of the reader's own equals its composed definition, in both orders of derivatives") {
  const Tensor x = Tensor::from(std::vector<double>{-4, -2.5, -1, 0.5, 2, 3.5}, {2, 3}, f64);
  const GradcheckResult result =
      gradcheck([](const std::vector<Tensor>& in) { return extend::hard_swish(in[0]); }, {x});
  CHECK_MESSAGE(result.passed, result.message);
  const std::vector<double> y = extend::hard_swish(x).values(), composed = extend::composed_hard_swish(x).values();
  for (size_t i = 0; i < y.size(); ++i) CHECK(y[i] == doctest::Approx(composed[i]));
}

TEST_CASE("extend: a layer of the reader's own has names, saving, summary, hooks and a gradient check") {
  std::vector<std::string> names;
  Shape seen;
  const tests::TemporaryFolder folder;
  const std::string path = folder.file("layer.safetensors");

  Random random(1);
  const extend::GatedLinear layer(4, 3, random);
  for (const NamedTensor& parameter : nn::parameters(layer))
    names.push_back(parameter.name);  // gate.weight, gate.bias, ...
  nn::save(layer, path);              // and nn::load
  const std::string table = nn::summary(layer, [&] { layer(Tensor::zeros({2, 4})); });
  const Hook hook = layer.gate.on_forward([&](const Tensor& output) {
    seen = output.shape();
    return Tensor();  // or a tensor that takes the output's place
  });

  CHECK(names == std::vector<std::string>{"gate.weight", "gate.bias", "value.weight", "value.bias"});
  CHECK(table.find("gate") != std::string::npos);
  layer(Tensor::zeros({2, 4}));
  CHECK(seen == Shape{2, 3});

  const extend::GatedLinear other(4, 3, random);
  nn::load(other, path);
  CHECK(other.gate.weight.values() == layer.gate.weight.values());

  nn::to(layer, f64);
  std::vector<Tensor> inputs{random.normal({2, 4}, 0, 1, f64)};
  for (const NamedTensor& parameter : nn::parameters(layer)) inputs.push_back(parameter.tensor);
  const GradcheckResult result = gradcheck([&](const std::vector<Tensor>& in) { return layer(in[0]); }, inputs);
  CHECK_MESSAGE(result.passed, result.message);
}

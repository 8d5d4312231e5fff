// A program outside the tree: an op and a layer of its own, and all that comes with them, from the installed headers
// and library alone.
#include <cstdio>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "autograd/tape/gradcheck.h"
#include "autograd/tape/tape.h"
#include "nn/nn.h"

using namespace mixtape;

namespace {

// y = x^2
Tensor square(const Tensor& x) {
  Tensor y;
  {
    const Pause pause;
    y = x * x;
  }
  return record("square", {x}, y, Rule(x, Save{x}, [](const Tensor& dy, const Tensor& x) { return dy * x * 2.0; }));
}

// y = (x W' + b)^2
struct SquaredLinear : nn::Layer<SquaredLinear> {
  nn::Linear inner;

  SquaredLinear(int64_t in, int64_t out, Random& random) : inner(in, out, random) {}

  Tensor forward(const Tensor& x) const { return square(inner(x)); }
  void visit(auto&& each) const { each("inner", inner); }
};

int failures = 0;

void expect(bool holds, const char* what) {
  std::printf("%s %s\n", holds ? "ok  " : "FAIL", what);
  if (!holds) ++failures;
}

}  // namespace

int main(int, char** argv) {
  Random random(1);
  const SquaredLinear layer(3, 2, random);
  nn::to(layer, f64);
  std::vector<Tensor> inputs{random.normal({4, 3}, 0, 1, f64)};
  for (const NamedTensor& parameter : nn::parameters(layer)) inputs.push_back(parameter.tensor);
  expect(gradcheck([&](const std::vector<Tensor>& in) { return layer(in[0]); }, inputs).passed,
         "gradient check, first and second order");

  const NamedTensors parameters = nn::parameters(layer);
  expect(parameters.size() == 2 && parameters[0].name == "inner.weight" && parameters[1].name == "inner.bias", "names");

  const std::string path = std::string(argv[0]) + ".safetensors";
  nn::save(layer, path);
  const SquaredLinear other(3, 2, random);
  nn::to(other, f64);
  nn::load(other, path);
  expect(other.inner.weight.values() == layer.inner.weight.values(), "save and load");
  std::remove(path.c_str());

  expect(nn::summary(layer, [&] { layer(inputs[0]); }).find("SquaredLinear") != std::string::npos, "summary");

  int seen = 0;
  Hook hook = layer.inner.on_forward([&](const Tensor&) {
    ++seen;
    return Tensor();
  });
  layer(inputs[0]);
  hook.remove();
  layer(inputs[0]);
  expect(seen == 1, "hooks");
  return failures == 0 ? 0 : 1;
}

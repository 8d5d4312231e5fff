#include "tests/bench/ops.h"

#include <fmt/format.h>

#include <memory>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"
#include "optim/adam.h"

namespace mixtape::bench {
namespace {

using Inputs = std::vector<Tensor>;

// f on inputs that are all watched; backward starts from ones.
OpWork work_of(const std::function<Tensor(const Inputs&)>& f, const Inputs& inputs, double flops = 0) {
  OpWork work;
  const Tensor y = f(inputs);
  const Tensor seed = Tensor::ones(y.shape());
  work.forward = [=] { f(inputs); };
  work.forward_backward = [=] {
    Tape tape(RandomKey{});
    for (const Tensor& x : inputs)
      if (is_differentiable(x.dtype())) tape.watch(x);
    tape.backward(f(inputs), {.seed = seed});
  };
  work.flops = flops;
  work.bytes = static_cast<double>(y.bytes());
  for (const Tensor& x : inputs) work.bytes += static_cast<double>(x.bytes());
  return work;
}

Tensor random_indices(int64_t count, int64_t limit, Random& random) {
  std::vector<int32_t> indices(static_cast<size_t>(count));
  for (int32_t& index : indices) index = static_cast<int32_t>(random.below(limit));
  return Tensor::from(indices, {count});
}

OpWork adam_work(Random& random) {
  const Tensor parameter = random.normal({10'000'000}, 0, 1).as_parameter(),
               gradient = random.normal({10'000'000}, 0, 1);
  const auto optimizer = std::make_shared<optim::Adam>(NamedTensors{{"weight", parameter}});
  const auto step = [=] {
    parameter.set_gradient(gradient);
    optimizer->step();
  };
  return {.forward = step, .forward_backward = step, .flops = 0, .bytes = 7.0 * 4 * 10'000'000};
}

}  // namespace

OpWork make_op(const std::string& name, uint64_t seed) {
  Random random(seed);
  const auto normal = [&](const Shape& shape) { return random.normal(shape, 0, 1); };
  if (name == "softmax") return work_of([](const Inputs& in) { return softmax(in[0]); }, {normal({4096, 512})});
  if (name == "layer_norm") {
    return work_of([](const Inputs& in) { return layer_norm(in[0], in[1], in[2]); },
                   {normal({4096, 256}), normal({256}), normal({256})});
  }
  if (name == "gelu") return work_of([](const Inputs& in) { return gelu(in[0]); }, {normal({4096, 1024})});
  if (name == "linear") {
    return work_of([](const Inputs& in) { return linear(in[0], in[1], in[2]); },
                   {normal({1536, 256}), normal({1024, 256}), normal({1024})}, 2.0 * 1536 * 256 * 1024);
  }
  if (name == "cross_entropy") {
    return work_of([](const Inputs& in) { return cross_entropy(in[0], in[1]); },
                   {normal({1536, 8000}), random_indices(1536, 8000, random)});
  }
  if (name == "embedding") {
    OpWork work = work_of([](const Inputs& in) { return embedding(in[1], in[0]); },
                          {normal({8000, 256}), random_indices(1536, 8000, random)});
    work.bytes = 4.0 * 1536 * (256 + 256 + 1);  // of the table only the rows that are looked up
    return work;
  }
  if (name == "adam") return adam_work(random);
  for (const int64_t n : {256, 512, 1024}) {
    if (name != fmt::format("matmul-{}", n)) continue;
    const auto size = static_cast<double>(n);
    return work_of([](const Inputs& in) { return matmul(in[0], in[1]); }, {normal({n, n}), normal({n, n})},
                   2 * size * size * size);
  }
  fail(
      fmt::format("bench: no op {}, expected softmax, layer_norm, gelu, matmul-256, matmul-512, matmul-1024, linear, "
                  "cross_entropy, embedding or adam",
                  name));
}

}  // namespace mixtape::bench

#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tape/tape_listing.h"
#include "autograd/tensors/allocator.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"

using namespace mixtape;

namespace {

// layer_norm, linear, gelu, linear: the first linear reads the norm's output twice, the last one the gelu's.
struct FeedForward {
  Tensor gamma, beta, up, gate, down;

  explicit FeedForward(Random& random)
      : gamma(random.normal({6}, 1, 0.2, f64).as_parameter()),
        beta(random.normal({6}, 0, 0.2, f64).as_parameter()),
        up(random.normal({9, 6}, 0, 1, f64).as_parameter()),
        gate(random.normal({9, 6}, 0, 1, f64).as_parameter()),
        down(random.normal({6, 9}, 0, 1, f64).as_parameter()) {}

  Tensor operator()(const Tensor& x) const {
    const Tensor normed = layer_norm(x, gamma, beta);
    return linear(gelu(layer_norm(gelu(linear(normed, up) * linear(normed, gate)), Tensor::ones({9}, f64),
                                  Tensor::zeros({9}, f64))),
                  down);
  }
  std::vector<Tensor> parameters() const { return {gamma, beta, up, gate, down}; }
};

std::vector<std::vector<double>> gradients(const FeedForward& layer, const Tensor& x, const TapeOptions& options,
                                           bool retain_tape) {
  Tape tape(options);
  tape.watch(x);
  tape.backward(sum(layer(x)), {.retain_tape = retain_tape});
  std::vector<std::vector<double>> all = {tape.gradient(x).values()};
  for (const Tensor& parameter : layer.parameters()) {
    all.push_back(parameter.gradient().values());
    parameter.clear_gradient();
  }
  return all;
}

}  // namespace

TEST_CASE("a tape that trains computes norms and activations again, and gives the same gradients") {
  Random random(1);
  const FeedForward layer(random);
  const Tensor x = random.normal({4, 6}, 0, 1, f64);
  const auto held = gradients(layer, x, {}, false);
  for (const bool retain_tape : {true, false, true})
    CHECK(gradients(layer, x, {.random = RandomKey{1, 1}, .save_inputs = false}, retain_tape) == held);
}

TEST_CASE("what will be computed again is not held") {
  Random random(2);
  const Tensor x = random.normal({8, 16}, 0, 1, f64), weight = random.normal({4, 16}, 0, 1, f64).as_parameter();
  const Tensor factor = random.normal({16}, 0, 1, f64).as_parameter();
  const Tensor ones = Tensor::ones({16}, f64), zeros = Tensor::zeros({16}, f64);
  const auto saved_by_linear = [&](const TapeOptions& options, bool of_norm) {
    Tape tape(options);
    linear(of_norm ? layer_norm(x * factor, ones, zeros) : gelu(x * factor), weight);
    for (int32_t i = 0; i < tape.size(); ++i)
      if (tape.line(i).op == std::string("linear")) return tape.line(i).saved_bytes;
    return int64_t{-1};
  };
  const TapeOptions training{.random = RandomKey{1, 1}, .save_inputs = false};
  CHECK(saved_by_linear({}, true) == x.bytes() + weight.bytes());
  CHECK(saved_by_linear({}, false) == weight.bytes());
  CHECK(saved_by_linear(training, true) == weight.bytes());
  CHECK(saved_by_linear(training, false) == weight.bytes());
}

TEST_CASE("what no later rule reads is freed before the next one is played, unless the tape is kept") {
  static int64_t freed, before;
  const Tensor x = Tensor::ones({1000}, f64).as_parameter(), y = Tensor::ones({1000}, f64).as_parameter();
  for (const bool retain_tape : {true, false}) {
    Tape tape(RandomKey{1, 1});
    const Tensor z = record("two_rules", {y, x}, x.clone(),
                            {Rule(x, Save{x * 2.0},
                                  [](const Tensor& dy, const Tensor& twice) {
                                    before = memory_statistics().live;
                                    return dy * twice.values()[0];
                                  }),
                             Rule(y, Save{}, [](const Tensor& dy) {
                               freed = before + dy.bytes() - memory_statistics().live;  // beside the first gradient
                               return dy;
                             })});
    tape.backward(sum(z), {.retain_tape = retain_tape});
    CHECK(std::abs(freed - (retain_tape ? 0 : 8000)) < 1000);
    CHECK(x.gradient().values() == std::vector<double>(1000, 2.0));
    x.clear_gradient();
    y.clear_gradient();
  }
}

TEST_CASE("what is computed again from memory that was overwritten is an error") {
  Random random(3);
  const Tensor x = random.normal({3, 5}, 0, 1, f64), weight = random.normal({5, 5}, 0, 1, f64).as_parameter();
  const Tensor gamma = Tensor::ones({5}, f64).as_parameter(), beta = Tensor::zeros({5}, f64).as_parameter();
  Tape tape(RandomKey{1, 1});
  const Tensor loss = sum(linear(layer_norm(x, gamma, beta), weight));
  gamma.fill(2);
  CHECK_THROWS_WITH_AS(tape.backward(loss),
                       "layer_norm: a tensor that its result is computed from has been overwritten since", Error);
}

TEST_CASE("a long chain of activations is computed, and differentiated, without deep recursion") {
  const Tensor x = Tensor::full({1}, 0.5, f64).as_parameter();
  for (const bool training : {false, true}) {
    Tape tape(training ? TapeOptions{RandomKey{1, 1}, false} : TapeOptions{});
    Tensor y = x * 1.0;
    for (int i = 0; i < 50'000; ++i) y = relu(y);
    tape.backward(sum(y));
    CHECK(x.gradient().item() == 1);
    x.clear_gradient();
  }
}

TEST_CASE("a deferred tensor: views, copies and writes see its elements; what it is computed from may not change") {
  Random random(4);
  const Tensor x = random.normal({3, 4}, 0, 1, f64), expected = relu(x);
  const auto deferred = [&] {
    const Tensor y = relu(x * 1.0);
    REQUIRE(y.deferral());
    return y;
  };
  Tape tape;
  tape.watch(x);
  CHECK(deferred().values() == expected.values());
  CHECK(deferred().view({4, 3}).values() == expected.values());
  CHECK(deferred().view_rows(1, 2).values() == expected.view_rows(1, 2).values());
  CHECK(deferred().detach().values() == expected.values());
  CHECK(deferred().clone().values() == expected.values());
  CHECK(deferred().to(f32).values() == expected.to(f32).values());
  CHECK(reshape(deferred(), {12}).values() == expected.values());
  CHECK(to_string(deferred()) == to_string(expected));
  const Tensor target = Tensor::zeros({3, 4}, f64), written = deferred(), filled = deferred();
  target.assign(deferred());
  CHECK(target.values() == expected.values());
  written.mutable_data<double>()[0] = 7;
  CHECK(written.values()[0] == 7);
  CHECK(written.values()[1] == expected.values()[1]);
  filled.fill(2);
  CHECK(filled.values() == std::vector<double>(12, 2));
  CHECK_FALSE(deferred().unique());
  const Tensor source = x * 1.0, y = relu(source);
  source.fill(1);
  CHECK_THROWS_WITH_AS(y.values(), "relu: a tensor that its result is computed from has been overwritten since", Error);
}

TEST_CASE("a result that was written to since is saved as it is, and not computed again") {
  const Tensor x = Tensor::from(std::vector<double>{1, 2, 4}, {1, 3}, f64), gamma = Tensor::ones({3}, f64),
               beta = Tensor::zeros({3}, f64), weight = Tensor::ones({1, 3}, f64).as_parameter();
  Tape tape(RandomKey{1, 1});
  tape.watch(x);
  const Tensor y = layer_norm(x, gamma, beta);
  y.fill(5);
  tape.backward(sum(linear(y, weight)));
  CHECK(weight.gradient().values() == std::vector<double>{5, 5, 5});
}

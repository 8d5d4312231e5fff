#include <doctest/doctest.h>

#include "autograd/kernels/instruction_set.h"
#include "autograd/ops.h"
#include "autograd/ops/internal/accumulate.h"
#include "autograd/tape/tape.h"
#include "autograd/tape/tape_listing.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"
#include "tests/autograd/closeness.h"
#include "tests/autograd/rows.h"

using namespace mixtape;
using namespace mixtape::tests;

TEST_CASE("the gradients of two tapes add up") {
  const Tensor w = parameter({1, 2});
  for (int i = 1; i <= 2; ++i) {
    Tape tape;
    tape.backward(sum(w * w) * static_cast<double>(i));
  }
  CHECK(w.gradient().values() == Values{6, 12});
}

TEST_CASE("a gradient that somebody holds is not changed by a later backward") {
  const Tensor w = parameter({1, 2});
  {
    Tape tape;
    tape.backward(sum(w * w));
  }
  const Tensor first = w.gradient();
  {
    Tape tape;
    tape.backward(sum(w));
  }
  CHECK(first.values() == Values{2, 4});
  CHECK(w.gradient().values() == Values{3, 5});
}

TEST_CASE("a parameter used twice, and a shared subexpression") {
  const Tensor w = parameter({2});
  Tape tape;
  const Tensor square = w * w;
  const Tensor y = square * square + square * w + w;  // w^4 + w^3 + w
  tape.backward(sum(y));
  CHECK(w.gradient().values() == Values{4 * 8 + 3 * 4 + 1});
}

TEST_CASE("gradients that share memory are not changed through one another") {
  const Tensor a = parameter({1, 2}), b = parameter({3, 4});
  SUBCASE("z = x + x") {
    Tape tape;
    tape.backward(sum(a + a));
    CHECK(a.gradient().values() == Values{2, 2});
  }
  SUBCASE("both sides of a sum, one of which is met again") {
    Tape tape;
    const Tensor early = a * 1.0;
    const Tensor loss = sum(a + b) + sum(early * 5.0);
    tape.backward(loss, {.keep = {early}});
    CHECK(a.gradient().values() == Values{6, 6});
    CHECK(b.gradient().values() == Values{1, 1});
    CHECK(tape.gradient(early).values() == Values{5, 5});
  }
  SUBCASE("parameters whose gradient is one tensor get memory of their own") {
    Tape tape;
    tape.backward(sum(a + b));
    a.gradient().fill(7);
    CHECK(b.gradient().values() == Values{1, 1});
  }
  SUBCASE("a reshaped gradient") {
    Tape tape;
    const Tensor flat = reshape(a, {2, 1});
    tape.backward(sum(flat) + sum(reshape(flat, {2}) * b));
    CHECK(a.gradient().values() == Values{4, 5});
  }
  SUBCASE("the seed") {
    const Tensor seed = constant({1, 1});
    Tape tape;
    const Tensor y = a + b;
    tape.backward(y + y * 2.0 + a, {.seed = seed});
    a.gradient().fill(9);
    CHECK(seed.values() == Values{1, 1});
    CHECK(b.gradient().values() == Values{3, 3});
  }
  SUBCASE("a kept gradient") {
    Tape tape;
    const Tensor y = a + b;
    tape.backward(sum(y), {.keep = {y}});
    a.gradient().fill(9);
    CHECK(tape.gradient(y).values() == Values{1, 1});
  }
}

TEST_CASE("linear's gradient takes the place of its output's only if nobody else sees that") {
  constexpr int64_t kRows = 300, kWidth = 64;
  Random random(7);
  const Tensor x = random.normal({kRows, kWidth}, 0, 1).as_parameter(),
               bias = random.normal({kWidth}, 0, 1).as_parameter();
  const Tensor weight = random.normal({kWidth, kWidth}, 0, 1).as_parameter(),
               factor = random.normal({kRows, kWidth}, 0, 1);
  const auto gradients = [&] {
    std::vector<Values> all;
    for (const Tensor& p : {x, weight, bias}) {
      all.push_back(p.gradient().values());
      p.clear_gradient();
    }
    return all;
  };
  std::vector<Values> want;
  {
    Tape tape;
    tape.backward(linear(x, weight, bias), {.seed = factor});
    want = gradients();
  }
  const Values factors = factor.values();
  Tape tape;
  const Tensor y = linear(x, weight, bias);
  SUBCASE("nobody does") { tape.backward(sum(y * factor)); }
  SUBCASE("it is to be kept") {
    tape.backward(sum(y * factor), {.keep = {y}});
    CHECK(tape.gradient(y).values() == factors);
  }
  SUBCASE("it is to be kept in another shape") {
    const Tensor flat = reshape(y, {kRows * kWidth});
    tape.backward(sum(flat * reshape(factor, flat.shape())), {.keep = {flat}});
    CHECK(tape.gradient(flat).values() == factors);
  }
  SUBCASE("a hook holds it") {
    Tensor seen;
    const Hook hook = tape.on_gradient(y, [&](const Tensor& dy) {
      seen = dy;
      return Tensor();
    });
    tape.backward(sum(y * factor));
    CHECK(seen.values() == factors);
  }
  SUBCASE("a hook gives one of its own") {
    const Hook hook = tape.on_gradient(y, [&](const Tensor&) { return factor; });
    tape.backward(sum(y));
    CHECK(factor.values() == factors);
  }
  SUBCASE("it also is another's") {
    const Tensor z = tape.watch(Tensor::zeros({kRows, kWidth}));
    tape.backward(sum((y + z) * factor));
    CHECK(tape.gradient(z).values() == factors);
  }
  SUBCASE("the tape is played twice") {
    const Tensor loss = sum(y * factor);
    tape.backward(loss, {.retain_tape = true});
    CHECK(gradients() == want);
    tape.backward(loss);
  }
  CHECK(gradients() == want);
}

TEST_CASE("linear's gradient takes no memory of its own where its output's is free") {
  const Tensor x = Tensor::ones({300, 64}).as_parameter(), weight = Tensor::ones({64, 64}).as_parameter();
  Tape tape;
  const Tensor scaled = x * 2.0, y = linear(scaled, weight);
  const void *of_output = nullptr, *of_input = nullptr;
  const auto note = [](const void*& where) {
    return [&where](const Tensor& gradient) {
      where = gradient.raw_data();
      return Tensor();
    };
  };
  const Hook first = tape.on_gradient(y, note(of_output)), second = tape.on_gradient(scaled, note(of_input));
  tape.backward(sum(y * 3.0));
  CHECK(x.gradient().values() == Values(300 * 64, 64 * 6));
  if (kernels::vector_bits() >= 256) CHECK(of_input == of_output);
}

TEST_CASE("layer_norm and linear add to what has reached their input by another way, unless somebody holds that") {
  constexpr int64_t kRows = 300, kWidth = 64;
  Random random(8);
  const Tensor x = random.normal({kRows, kWidth}, 0, 1).as_parameter(), gamma = random.normal({kWidth}, 1, 0.1),
               beta = Tensor::zeros({kWidth}), square = random.normal({kWidth, kWidth}, 0, 1),
               factor = random.normal({kRows, kWidth}, 0, 1);
  const auto gradient = [&] {
    const Tensor result = x.gradient().clone();
    x.clear_gradient();
    return result;
  };
  const auto check = [&](const auto& f) {
    Tensor expected, held;
    {
      Tape tape;
      tape.backward(f(), {.seed = factor});
      expected = gradient() + factor;
    }
    {
      const Values factors = factor.values();
      Tape tape;
      const Tensor y = f() + x;  // its sum begins with the seed, which is the caller's
      tape.backward(y, {.retain_tape = true, .seed = factor});
      held = gradient();
      CHECK(factor.values() == factors);
      CHECK(distance(held, expected) < 1e-5);
      tape.backward(y, {.seed = factor.clone()});
      CHECK(gradient().values() == held.values());
    }
    Tape tape;
    const Tensor y = f();
    tape.backward(y + x * 1.0, {.seed = factor});  // this begins with memory that is nobody's
    CHECK(gradient().values() == held.values());
  };
  SUBCASE("layer_norm") {
    check([&] { return layer_norm(x, gamma, beta); });
  }
  SUBCASE("linear of a square weight, by rows") {
    check([&] { return linear(x, square); });
  }
  SUBCASE("linear of any weight") {
    check([&] { return linear(linear(x, slice(square, 0, 0, 5)), slice(square, 1, 0, 5)); });
  }
}

TEST_CASE("a rule that may accumulate is given nothing at first, and what is its own") {
  static Values found;
  const auto op = [](const Tensor& in) {
    return record("op", {in}, in.clone(),
                  Rule(in, Save{},
                       [](const Tensor& dy, Gradient& dx) {
                         found = dx.accumulate ? dx.tensor.values() : Values();
                         if (dx.accumulate) return add_in_place(dx.tensor, dy);
                         dx.tensor.copy_from(dy);
                       },
                       {.accumulate = true}),
                  [](const Tensor& in) { return in * 1.0; });
  };
  const Tensor x = parameter({1, 2});
  Tape tape;
  SUBCASE("nothing yet") {
    tape.backward(sum(op(x)));
    CHECK(found.empty());
    CHECK(x.gradient().values() == Values{1, 1});
  }
  SUBCASE("the seed, which is also the caller's") {
    const Tensor seed = constant({3, 4});
    tape.backward(op(x) + x, {.seed = seed});
    CHECK(found == Values{3, 4});
    CHECK(seed.values() == Values{3, 4});
    CHECK(x.gradient().values() == Values{6, 8});
  }
  SUBCASE("one tensor as two inputs") {
    const Tensor weight = tape.watch(reshape(constant({1, 2, 3, 4}), {2, 2}));
    tape.backward(sum(linear(weight, weight)) + sum(weight * 10.0));
    CHECK(tape.gradient(weight).values() == Values{18, 22, 18, 22});
  }
  SUBCASE("nothing in a recorded backward") {
    found = {};
    const Tensor seed = constant({3, 4});
    const Tensor dx = tape.gradients(op(x) + x, {x}, {.record = true, .seed = seed})[0];
    CHECK(found.empty());
    CHECK(dx.values() == Values{6, 8});
  }
}

TEST_CASE("gradients of results and of watched inputs after backward") {
  const Tensor w = parameter({1, 2}), x = constant({3, 4});
  Tape tape;
  CHECK(tape.watch(x).is(x));
  const Tensor y = w * x, other = w * 2.0, unkept = y * 2.0;
  tape.backward(sum(unkept * unkept), {.keep = {y, other}});
  CHECK(tape.gradient(y).values() == Values{24, 64});
  CHECK(tape.gradient(x).values() == Values{24, 128});
  CHECK(tape.gradient(other).values() == Values{0, 0});
  CHECK(w.gradient().values() == Values{72, 256});
  CHECK_THROWS_WITH_AS(tape.gradient(unkept), "gradient: not kept; name the tensor in backward's `keep`, or watch() it",
                       Error);
  CHECK_THROWS_WITH_AS(tape.gradient(constant({1})),
                       "gradient: the tensor is not on this tape; watch() it or compute it under the tape", Error);
}

TEST_CASE("gradients() touches no parameter's gradient") {
  const Tensor w = parameter({1, 2}), v = parameter({3, 4});
  Tape tape;
  const Tensor y = w * v, loss = sum(y * y);
  const std::vector<Tensor> gradients = tape.gradients(loss, {w, y, loss}, {.retain_tape = true});
  CHECK(gradients[0].values() == Values{18, 64});
  CHECK(gradients[1].values() == Values{6, 16});
  CHECK(gradients[2].values() == Values{1});
  CHECK_FALSE(w.gradient());
  const Tensor unrelated = v * 2.0;
  CHECK(tape.gradients(loss, {unrelated})[0].values() == Values{0, 0});
  CHECK_THROWS_AS(tape.gradients(loss, {w}), Error);
}

TEST_CASE("a recorded backward can be differentiated again") {
  const Tensor x = constant({2});
  Tape tape;
  tape.watch(x);
  const Tensor cube = sum(x * x * x);
  const Tensor first = tape.gradients(cube, {x}, {.record = true})[0];
  CHECK(first.item() == 12);
  const Tensor second = tape.gradients(sum(first), {x}, {.record = true})[0];
  CHECK(second.item() == 12);
  CHECK(tape.gradients(sum(second), {x})[0].item() == 6);
}

TEST_CASE("the recorded backward of a fused op is recorded by its composed definition") {
  const Tensor x = constant({0.1, 0.7, -0.4});
  Tape tape;
  tape.watch(x);
  const Tensor loss = sum(softmax(x) * constant({1, 2, 4}));
  const int32_t before = tape.size();
  tape.gradients(loss, {x}, {.record = true});
  CHECK(tape.size() > before);
  for (int32_t i = before; i < tape.size(); ++i) {
    CHECK(tape.line(i).backward);
    CHECK(std::string(tape.line(i).op) != "softmax");
  }
}

TEST_CASE("a recorded backward needs the inputs that a training tape does not keep") {
  const Tensor w = parameter({1, 2});
  {
    Tape tape(RandomKey{1, 0});
    const Tensor loss = sum(w * w);
    CHECK_THROWS_WITH_AS(tape.gradients(loss, {w}, {.record = true}),
                         "gradients: a recorded backward needs the inputs of each line; open the tape with save_inputs",
                         Error);
    CHECK(tape.gradients(loss, {w})[0].values() == Values{2, 4});
  }
  Tape tape(TapeOptions{.random = RandomKey{1, 0}});
  CHECK(tape.trains());
  CHECK(tape.gradients(sum(w * w), {w}, {.record = true})[0].values() == Values{2, 4});
}

TEST_CASE("a training tape draws by seed, step and op") {
  const Tensor x = Tensor::ones({64}, f64).as_parameter();
  const auto masks = [&](RandomKey key) {
    Tape tape(key);
    const Tensor first = dropout(x, 0.5), second = dropout(x, 0.5);
    return std::pair(first.values(), second.values());
  };
  CHECK(masks({1, 2}) == masks({1, 2}));
  CHECK(masks({1, 2}).first != masks({1, 2}).second);
  CHECK(masks({1, 2}).first != masks({1, 3}).first);
  CHECK(masks({1, 2}).first != masks({2, 2}).first);
  const Tape tape;
  CHECK_FALSE(tape.trains());
  CHECK(dropout(x, 0.5).is(x));
}

TEST_CASE("a backward within a backward is refused") {
  const Tensor w = parameter({1});
  Tape tape;
  const Tensor y = w * w, loss = sum(y);
  const Hook hook = tape.on_gradient(y, [&](const Tensor&) {
    tape.backward(loss);
    return Tensor();
  });
  CHECK_THROWS_WITH_AS(tape.backward(loss), "backward: a backward of this tape is under way", Error);
  CHECK_FALSE(w.gradient());
}

TEST_CASE("a gradient can be set only if it fits") {
  const Tensor w = parameter({1, 2});
  CHECK_THROWS_WITH_AS(w.set_gradient(constant({1, 2, 3})), "set_gradient: f64 [3] for a tensor of f64 [2]", Error);
  CHECK_THROWS_AS(w.set_gradient(Tensor::ones({2}, f32)), Error);
  w.set_gradient(constant({10, 20}));
  Tape tape;
  tape.backward(sum(w));
  CHECK(w.gradient().values() == Values{11, 21});
}

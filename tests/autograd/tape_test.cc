#include "autograd/tape/tape.h"

#include <doctest/doctest.h>

#include <optional>
#include <thread>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "tests/autograd/rows.h"

using namespace mixtape;
using namespace mixtape::tests;

TEST_CASE("backward adds the gradients of parameters") {
  const Tensor w = parameter({1, 2, 3});
  Tape tape;
  tape.backward(sum(w * w));
  CHECK(w.gradient().values() == Values{2, 4, 6});
  CHECK(tape.spent());
}

TEST_CASE("nothing is recorded without a tape, without a tracked input, under a Pause, or when the tape is spent") {
  const Tensor w = parameter({1, 2}), constant = Tensor::ones({2}, f64);
  CHECK_FALSE(Tape::tracks(w * w));
  Tape tape;
  CHECK_FALSE(Tape::tracks(constant * constant));
  CHECK(tape.size() == 0);
  {
    const Pause pause;
    CHECK(Tape::recording() == nullptr);
    CHECK_FALSE(Tape::tracks(w * w));
    const Pause inner;
  }
  CHECK(Tape::recording() == &tape);
  const Tensor loss = sum(w * w);
  CHECK(Tape::tracks(loss));
  tape.backward(loss);
  const int32_t size = tape.size();
  const Tensor after = loss * 2.0;
  CHECK(after.item() == 10);
  CHECK_FALSE(Tape::tracks(after));
  CHECK(tape.size() == size);
}

TEST_CASE("what is computed under a Pause is a constant") {
  const Tensor w = parameter({3});
  Tape tape;
  std::optional<Tensor> frozen;
  {
    const Pause pause;
    frozen = w * w;
  }
  tape.backward(sum(*frozen * w));
  CHECK(w.gradient().values() == Values{9});
}

TEST_CASE("a backward inside a Pause leaves the tape spent after it") {
  const Tensor w = parameter({3});
  Tape tape;
  const Tensor loss = sum(w * w);
  {
    const Pause pause;
    tape.backward(loss);
  }
  CHECK(Tape::recording() == nullptr);
  CHECK(w.gradient().values() == Values{6});
}

TEST_CASE("a kept tape stays paused under a Pause, and records after it") {
  const Tensor w = parameter({3});
  Tape tape;
  const Tensor loss = sum(w * w);
  {
    const Pause pause;
    tape.backward(loss, {.retain_tape = true});
    CHECK(Tape::recording() == nullptr);
  }
  CHECK(Tape::recording() == &tape);
}

TEST_CASE("a spent tape refuses a second backward, a kept one adds it") {
  const Tensor w = parameter({1, -1});
  {
    Tape tape;
    const Tensor loss = sum(w * w);
    tape.backward(loss);
    CHECK_THROWS_WITH_AS(tape.backward(loss),
                         "backward: the tape is spent; ask the first backward to retain it (retain_tape)", Error);
    CHECK_THROWS_WITH_AS(tape.gradients(loss, {w}),
                         "gradients: the tape is spent; ask the first backward to retain it (retain_tape)", Error);
    CHECK_THROWS_WITH_AS(tape.watch(Tensor::ones({2})), "watch: the tape is spent", Error);
  }
  w.clear_gradient();
  Tape tape;
  const Tensor loss = sum(w * w);
  tape.backward(loss, {.retain_tape = true});
  tape.backward(loss * 3.0, {.retain_tape = true});
  CHECK(w.gradient().values() == Values{8, -8});
  tape.backward(loss);
  CHECK(w.gradient().values() == Values{10, -10});
  CHECK(tape.spent());
}

TEST_CASE("only one tape a thread may be open") {
  const Tensor w = parameter({2});
  Tape tape;
  CHECK_THROWS_WITH_AS(Tape{}, "tape: a tape is already open on this thread, and only one may be", Error);
  tape.backward(sum(w * w));
  CHECK(w.gradient().values() == Values{4});
}

TEST_CASE("a tape on another thread is independent") {
  const Tensor w = parameter({2}), v = parameter({5});
  Tape tape;
  const Tensor loss = sum(w * w);
  std::thread([&] {
    CHECK(Tape::recording() == nullptr);
    Tape other;
    other.backward(sum(v * v * v));
  }).join();
  CHECK(Tape::recording() == &tape);
  tape.backward(loss);
  CHECK(w.gradient().values() == Values{4});
  CHECK(v.gradient().values() == Values{75});
}

TEST_CASE("a tensor of an ended tape can be read, and used under another one once it is detached") {
  const Tensor w = parameter({2});
  std::optional<Tensor> y;
  {
    Tape tape;
    y = w * w;
  }
  CHECK(y->item() == 4);
  CHECK((*y * *y).item() == 16);
  Tape tape;
  CHECK_THROWS_WITH_AS(*y * w, "tape: a tensor of a tape that has ended is used under another one; detach() it", Error);
  CHECK_THROWS_WITH_AS(tape.backward(*y),
                       "backward: the tensor is not on this tape; watch() it or compute it under the tape", Error);
  tape.backward(sum(y->detach() * w));
  CHECK(w.gradient().values() == Values{4});
}

TEST_CASE("an input that an ended tape watched is a constant to the next one") {
  const Tensor x = Tensor::ones({2}, f64), w = parameter({1, 1});
  {
    Tape tape;
    tape.watch(x);
    tape.backward(sum(x * w));
  }
  Tape tape;
  CHECK_FALSE(Tape::tracks(x));
  CHECK_FALSE(Tape::tracks(x * x));
}

TEST_CASE("backward throws, naming op and layer, if a tensor that it needs was overwritten") {
  const Tensor w = parameter({1, 2}), x = parameter({3, 4});
  const std::string message =
      "multiply: a tensor that it saved for backward has been overwritten since (in head.scale)";
  const auto run = [&](const auto& overwrite) {
    Tape tape;
    std::optional<Tensor> y;
    {
      const Scope scope(path_below(path_below(nullptr, "head"), "scale"));
      y = w * x;
    }
    overwrite();
    CHECK_THROWS_WITH_AS(tape.backward(sum(*y)), message.c_str(), Error);
    CHECK_FALSE(w.gradient());
    CHECK_FALSE(x.gradient());
  };
  SUBCASE("by a fill") {
    run([&] { x.fill(0); });
  }
  SUBCASE("by a pointer") {
    run([&] { x.mutable_data<double>()[0] = 9; });
  }
  SUBCASE("by a copy") {
    run([&] { w.copy_from(x); });
  }
  SUBCASE("through a view") {
    run([&] { x.view({2, 1}).fill(1); });
  }
  SUBCASE("by other memory in its place") {
    run([&] { x.assign(Tensor::from(Values{7, 8}, {2}, f64)); });
  }
}

TEST_CASE("what no rule needs may be overwritten") {
  const Tensor w = parameter({1, 2}), x = parameter({3, 4});
  Tape tape;
  const Tensor loss = sum(w + x);
  w.fill(0);
  tape.backward(loss);
  CHECK(w.gradient().values() == Values{1, 1});
}

TEST_CASE("a recorded backward notices that an input of a fused op was overwritten") {
  const Tensor x = parameter({1, 2});
  Tape tape;
  const Tensor loss = sum(softmax(x));
  x.fill(0);
  CHECK_THROWS_WITH_AS(tape.gradients(loss, {x}, {.record = true}),
                       "softmax: a tensor that it saved for backward has been overwritten since", Error);
}

TEST_CASE("a chain of 100,000 ops needs no stack") {
  const Tensor w = parameter({1});
  Tape tape;
  Tensor y = w;
  for (int i = 0; i < 100'000; ++i) y = y + 1e-5;
  CHECK(tape.size() == 100'001);
  tape.backward(y);
  CHECK(w.gradient().values() == Values{1});
  CHECK(y.item() == doctest::Approx(2));
}

TEST_CASE("backward wants a scalar or a seed of the loss's shape") {
  const Tensor w = parameter({1, 2});
  Tape tape;
  const Tensor y = w * w;
  CHECK_THROWS_WITH_AS(tape.backward(y), "backward: the loss is [2], expected a scalar or a seed", Error);
  CHECK_THROWS_WITH_AS(tape.backward(y, {.seed = Tensor::ones({3}, f64)}),
                       "backward: the gradient is f64 [3], expected f64 [2]", Error);
  CHECK_THROWS_AS(tape.backward(y, {.seed = Tensor::ones({2}, f32)}), Error);
  tape.backward(y, {.seed = Tensor::from(Values{10, 100}, {2}, f64)});
  CHECK(w.gradient().values() == Values{20, 400});
}

TEST_CASE("a frozen parameter is a constant") {
  const Tensor w = parameter({1, 2}), frozen = parameter({3, 4});
  frozen.set_trainable(false);
  Tape tape;
  CHECK_FALSE(Tape::tracks(frozen * frozen));
  tape.backward(sum(w * frozen));
  CHECK(w.gradient().values() == Values{3, 4});
  CHECK_FALSE(frozen.gradient());
  frozen.set_trainable(true);
  CHECK(frozen.trainable());
}

TEST_CASE("an op that throws leaves the tape usable") {
  const Tensor w = parameter({1, 2}), three = parameter({1, 2, 3});
  std::optional<Tensor> ended;
  {
    Tape other;
    ended = w * w;
  }
  Tape tape;
  const Tensor y = w * w;
  CHECK_THROWS_AS(y + three, Error);
  CHECK_THROWS_AS(y + *ended, Error);
  CHECK_THROWS_AS(where(Tensor::from(std::vector<int32_t>{1, 0}, {2}), three, y), Error);
  CHECK_THROWS_AS(concat({y, *ended, y}, 0), Error);
  tape.backward(sum(y * w));
  CHECK(w.gradient().values() == Values{3, 12});
  CHECK_FALSE(three.gradient());
}

TEST_CASE("refuse_tracked throws for what is on the tape") {
  const Tensor w = parameter({1, 2}), constant = Tensor::ones({2}, f64);
  CHECK_NOTHROW(refuse_tracked("sort", {w}));
  Tape tape;
  CHECK_NOTHROW(refuse_tracked("sort", {constant, Tensor(), w.detach()}));
  CHECK_THROWS_WITH_AS(refuse_tracked("sort", {constant, w}),
                       "sort: has no derivative; detach() its input or use it under a Pause", Error);
  const Pause pause;
  CHECK_NOTHROW(refuse_tracked("sort", {w}));
}

TEST_CASE("a rule's gradient of the wrong shape or dtype is an error that names the op") {
  const Tensor w = parameter({1, 2});
  Tape tape;
  const Tensor y = record("twist", {w}, w.clone(), Rule(w, Save{}, [](const Tensor& dy) {
                            return reshape(dy, {2, 1});
                          }));
  CHECK_THROWS_WITH_AS(tape.backward(sum(y)), "twist: the gradient is f64 [2, 1], expected f64 [2]", Error);
  CHECK_FALSE(w.gradient());
}

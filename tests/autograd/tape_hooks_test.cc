#include <doctest/doctest.h>

#include <stdexcept>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "tests/autograd/rows.h"

using namespace mixtape;
using namespace mixtape::tests;

TEST_CASE("hooks see the whole gradient, in the order of their installation, later lines first") {
  const Tensor w = parameter({1, 2});
  Tape tape;
  const Tensor y = w * 2.0, z = y * 3.0;
  std::vector<std::string> calls;
  const auto note = [&](const char* name) {
    return [&calls, name](const Tensor& gradient) {
      calls.push_back(name + to_string(gradient));
      return Tensor();
    };
  };
  const Hook w_hook = tape.on_gradient(w, note("w"));
  const Hook y_first = tape.on_gradient(y, note("y1 ")), y_second = tape.on_gradient(y, note("y2 "));
  const Hook z_hook = tape.on_gradient(z, note("z"));
  tape.backward(sum(z + y));
  CHECK(calls == std::vector<std::string>{"z[1, 1]", "y1 [4, 4]", "y2 [4, 4]", "w[8, 8]"});
}

TEST_CASE("what a hook returns takes the gradient's place") {
  const Tensor w = parameter({1, 2});
  Tape tape;
  const Tensor y = w * 2.0;
  const Hook twice = tape.on_gradient(y, [](const Tensor& gradient) { return gradient * 10.0; });
  const Hook again = tape.on_gradient(y, [](const Tensor& gradient) { return gradient + 1.0; });
  const Hook of_parameter = tape.on_gradient(w, [](const Tensor& gradient) { return gradient * -1.0; });
  tape.backward(sum(y), {.keep = {y}});
  CHECK(tape.gradient(y).values() == Values{11, 11});
  CHECK(w.gradient().values() == Values{-22, -22});
}

TEST_CASE("a hook's gradient of another shape is an error") {
  const Tensor w = parameter({1, 2});
  Tape tape;
  const Tensor y = w * 2.0;
  const Hook hook = tape.on_gradient(y, [](const Tensor&) { return Tensor::ones({3}, f64); });
  CHECK_THROWS_WITH_AS(tape.backward(sum(y)), "hook: the gradient is f64 [3], expected f64 [2]", Error);
  CHECK_FALSE(w.gradient());
}

TEST_CASE("a hook that is removed or destroyed is not called") {
  const Tensor w = parameter({1});
  Tape tape;
  const Tensor y = w * 2.0;
  int calls = 0;
  const auto count = [&](const Tensor&) {
    ++calls;
    return Tensor();
  };
  Hook removed = tape.on_gradient(y, count);
  removed.remove();
  { const Hook destroyed = tape.on_gradient(y, count); }
  const Hook kept = tape.on_gradient(y, count);
  tape.backward(sum(y));
  CHECK(calls == 1);
}

TEST_CASE("a hook may remove itself and others while it runs") {
  const Tensor w = parameter({1});
  Tape tape;
  const Tensor y = w * 2.0, loss = sum(y);
  int first_calls = 0, second_calls = 0;
  Hook first, second;
  first = tape.on_gradient(y, [&](const Tensor&) {
    ++first_calls;
    first.remove();
    second.remove();
    return Tensor();
  });
  second = tape.on_gradient(y, [&](const Tensor&) {
    ++second_calls;
    return Tensor();
  });
  tape.backward(loss, {.retain_tape = true});
  tape.backward(loss);
  CHECK(first_calls == 1);
  CHECK(second_calls == 0);
  CHECK(w.gradient().values() == Values{4});
}

TEST_CASE("a hook may install another one while it runs") {
  const Tensor w = parameter({1});
  Tape tape;
  const Tensor y = w * 2.0;
  int late_calls = 0;
  Hook late;
  const Hook hook = tape.on_gradient(y, [&](const Tensor&) {
    late = tape.on_gradient(w, [&](const Tensor&) {
      ++late_calls;
      return Tensor();
    });
    return Tensor();
  });
  tape.backward(sum(y));
  CHECK(late_calls == 1);
}

TEST_CASE("a hook that throws leaves all gradients as they were, and a new tape can open") {
  const Tensor first = parameter({1}), second = parameter({2});
  first.set_gradient(Tensor::full({1}, 5, f64));
  {
    Tape tape;
    const Tensor y = second * 2.0;
    const Hook hook = tape.on_gradient(y, [](const Tensor&) -> Tensor { throw std::runtime_error("no further"); });
    CHECK_THROWS_WITH_AS(tape.backward(sum(first * 3.0 * y)), "no further", std::runtime_error);
    CHECK(tape.spent());
    CHECK(Tape::recording() == nullptr);
    CHECK(tape.saved_bytes() == 0);
  }
  CHECK(first.gradient().values() == Values{5});
  CHECK_FALSE(second.gradient());
  CHECK(to_string(current_path()).empty());
  Tape tape;
  tape.backward(sum(first * second));
  CHECK(first.gradient().values() == Values{7});
  CHECK(second.gradient().values() == Values{1});
}

TEST_CASE("a hook runs in the place of its line") {
  const Tensor w = parameter({1});
  Tape tape;
  Tensor y;
  {
    const Scope scope(path_below(nullptr, "decoder"));
    y = w * 2.0;
  }
  std::string place;
  const Hook hook = tape.on_gradient(y, [&](const Tensor&) {
    place = to_string(current_path());
    return Tensor();
  });
  tape.backward(sum(y));
  CHECK(place == "decoder");
}

TEST_CASE("a hook on what is not on the tape is an error") {
  Tape tape;
  CHECK_THROWS_WITH_AS(tape.on_gradient(Tensor::ones({1}), [](const Tensor&) { return Tensor(); }),
                       "on_gradient: the tensor is not on this tape; watch() it or compute it under the tape", Error);
}

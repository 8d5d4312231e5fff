#include "autograd/tensors/threads.h"

#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"

using namespace mixtape;

namespace {

// Puts back what a test changes.
struct Settings {
  int count = threads();
  ~Settings() {
    set_threads(count);
    force_instruction_set("");
  }
};

}  // namespace

TEST_CASE("the number of threads can be set, within reason") {
  const Settings settings;
  set_threads(3);
  CHECK(threads() == 3);
  CHECK_THROWS_WITH_AS(set_threads(0), "threads: 0, expected 1 to 1024", Error);
  CHECK_THROWS_AS(set_threads(1025), Error);
  CHECK(threads() == 3);
}

TEST_CASE("an instruction set that the machine lacks is an error that names those it has") {
  const Settings settings;
  const std::string best = instruction_set();
  CHECK_FALSE(best.empty());
  try {
    force_instruction_set("ABACUS");
    FAIL("no error");
  } catch (const Error& error) {
    const std::string message = error.what();
    CHECK(message.starts_with("instruction set: this machine has no ABACUS, only "));
    CHECK(message.find(best) != std::string::npos);
  }
  force_instruction_set(best);
  CHECK(instruction_set() == best);
}

TEST_CASE("gradients have the same bits on any number of threads") {
  const Settings settings;
  Random random(1);
  const Tensor x = random.normal({200, 96}, 0, 1), gamma = Tensor::ones({96}), beta = Tensor::zeros({96});
  const Tensor weight = random.normal({300, 96}, 0, 0.1).as_parameter();
  const Tensor targets = Tensor::from(std::vector<int32_t>(200, 7), {200});
  const auto run = [&](int count) {
    set_threads(count);
    weight.clear_gradient();
    Tape tape(RandomKey{1, 1});
    tape.watch(x);
    const Tensor loss = cross_entropy(gelu(linear(dropout(layer_norm(x, gamma, beta), 0.1), weight)), targets);
    tape.backward(loss);
    std::vector<double> numbers = weight.gradient().values(), slopes = tape.gradient(x).values();
    numbers.insert(numbers.end(), slopes.begin(), slopes.end());
    numbers.push_back(loss.item());
    return numbers;
  };
  const std::vector<double> expected = run(1);
  for (int count : {2, 3, 5}) CHECK(run(count) == expected);
}

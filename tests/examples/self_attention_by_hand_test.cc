#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "examples/self_attention_by_hand/by_hand.h"
#include "tests/examples/program.h"
#include "tests/text.h"

using namespace mixtape;
using namespace mixtape::by_hand;

namespace {

Matrix random_matrix(int64_t rows, int64_t columns, std::mt19937_64& generator) {
  Matrix m(rows, columns);
  std::uniform_real_distribution<double> draw(-1, 1);
  for (double& value : m.values) value = draw(generator);
  return m;
}

Inputs random_inputs(int64_t length, int64_t width, uint64_t seed) {
  std::mt19937_64 generator(seed);
  const auto draw = [&](int64_t rows, int64_t columns) { return random_matrix(rows, columns, generator); };
  return {draw(length, width), draw(width, width), draw(width, width), draw(width, width),
          draw(1, width),      draw(1, width),     draw(1, width),     draw(length, width)};
}

double largest_difference(const Matrix& a, const Matrix& b) {
  REQUIRE(a.values.size() == b.values.size());
  double largest = 0;
  for (size_t i = 0; i < a.values.size(); ++i) largest = std::max(largest, std::abs(a.values[i] - b.values[i]));
  return largest;
}

}  // namespace

TEST_CASE("self-attention by hand: the loops, the tape and the numeric derivative agree") {
  for (const Inputs& in : {small_inputs(), random_inputs(1, 1, 1), random_inputs(4, 3, 2), random_inputs(6, 5, 3)}) {
    const Backward hand = backward(in, forward(in));
    const std::vector<Matrix> tape = tape_gradients(in);
    REQUIRE(tape.size() == derivatives().size());
    for (size_t i = 0; i < tape.size(); ++i) {
      CAPTURE(derivatives()[i].name);
      CHECK(largest_difference(hand.*derivatives()[i].gradient, tape[i]) < 1e-13);
      CHECK(largest_difference(hand.*derivatives()[i].gradient, numeric_gradient(in, derivatives()[i].input)) < 1e-8);
    }
  }
}

TEST_CASE("self-attention by hand: numbers that were worked out on paper") {
  const Inputs in = small_inputs();
  const Forward f = forward(in);
  // Q = X Wq' + bq: the first token is (1, 0), the rows of Wq are (1, 0) and (1, 1), bq is (0, 1).
  CHECK(f.query.values == std::vector<double>{1, 2, 0, 3, 1, 3});
  CHECK(f.key.values == std::vector<double>{1, 1, 3, -2, 2, 0});
  CHECK(f.value.values == std::vector<double>{2, 0, 0, 1, 2, 1});
  // The first query meets the keys with 3, -1 and 2, over the root of 2.
  CHECK(f.scores(0, 0) == doctest::Approx(3 / std::sqrt(2)));
  CHECK(f.scores(0, 1) == doctest::Approx(-1 / std::sqrt(2)));
  CHECK(f.scores(0, 2) == doctest::Approx(2 / std::sqrt(2)));
  const Backward b = backward(in, f);
  for (int64_t i = 0; i < 3; ++i) {
    CHECK(f.weights(i, 0) + f.weights(i, 1) + f.weights(i, 2) == doctest::Approx(1));
    CHECK(b.scores(i, 0) + b.scores(i, 1) + b.scores(i, 2) == doctest::Approx(0));
  }
}

TEST_CASE("self_attention_by_hand prints the same gradients three ways") {
  const tests::Ended ended = tests::run_program({"self_attention_by_hand"});
  CHECK(ended.code == 0);
  const auto lines = tests::matches_of(R"(^ +(d\w+\[\d, \d\]) +(\S+) +(\S+) +(\S+)$)", ended.output);
  REQUIRE(lines.size() == 6 + 3 * 4 + 3 * 2);
  for (const std::vector<std::string>& line : lines) {
    CAPTURE(line[1]);
    CHECK(line[2] == line[3]);
    CHECK(std::stod(line[4]) == doctest::Approx(std::stod(line[2])).epsilon(1e-7));
  }
}

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "examples/common/command_line.h"
#include "examples/self_attention_by_hand/by_hand.h"

namespace mixtape::by_hand {
namespace {

void print(const std::string& name, const Matrix& m) {
  for (int64_t i = 0; i < m.rows; ++i) {
    fmt::print("{:>4}{}", i == 0 ? name : "", i == 0 ? " =" : "  ");
    for (int64_t j = 0; j < m.columns; ++j) fmt::print(" {:10.6f}", m(i, j));
    fmt::print("\n");
  }
}

// Prints -0 as 0.
double shown(double x) { return std::abs(x) < 5e-11 ? 0 : x; }

double difference(const Matrix& a, const Matrix& b) {
  double largest = 0;
  for (size_t i = 0; i < a.values.size(); ++i) largest = std::max(largest, std::abs(a.values[i] - b.values[i]));
  return largest;
}

void show() {
  const Inputs in = small_inputs();
  const Forward f = forward(in);
  const Backward b = backward(in, f);
  fmt::print("Forward: three tokens of width 2.\n");
  print("X", in.x);
  print("Q", f.query);
  print("K", f.key);
  print("V", f.value);
  print("S", f.scores);
  print("A", f.weights);
  print("O", f.output);
  fmt::print("   L = {:10.6f}\n\nBackward: dZ is dL/dZ.\n", f.loss);
  print("dO", b.output);
  print("dV", b.value);
  print("dA", b.weights);
  print("dS", b.scores);
  print("dQ", b.query);
  print("dK", b.key);

  fmt::print("\nThe gradients three ways:\n{:>15} {:>15} {:>15} {:>15}\n", "", "by hand", "tape", "numeric");
  const std::vector<Matrix> from_tape = tape_gradients(in);
  double tape_difference = 0, numeric_difference = 0;
  for (size_t d = 0; d < derivatives().size(); ++d) {
    const auto& [name, input, gradient] = derivatives()[d];
    const Matrix &hand = b.*gradient, numeric = numeric_gradient(in, input);
    for (int64_t i = 0; i < hand.rows; ++i) {
      for (int64_t j = 0; j < hand.columns; ++j) {
        fmt::print("{:>15} {:15.10f} {:15.10f} {:15.10f}\n", fmt::format("{}[{}, {}]", name, i, j), shown(hand(i, j)),
                   shown(from_tape[d](i, j)), shown(numeric(i, j)));
      }
    }
    tape_difference = std::max(tape_difference, difference(hand, from_tape[d]));
    numeric_difference = std::max(numeric_difference, difference(hand, numeric));
  }
  fmt::print("largest difference: by hand and tape {:.1e}, by hand and numeric {:.1e}\n", tape_difference,
             numeric_difference);
}

}  // namespace
}  // namespace mixtape::by_hand

int main(int argc, char** argv) {
  using mixtape::examples::Command;
  return mixtape::examples::run_program("self_attention_by_hand",
                                        "Self-attention, forward and backward, in plain loops and with the tape.", argc,
                                        argv, [](Command& program) { program.run(mixtape::by_hand::show); });
}

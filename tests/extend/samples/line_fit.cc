// Fits a line to points on y = 2 x + 1, and prints its loss.
#include <fmt/format.h>

#include "nn/nn.h"
#include "optim/optim.h"

using namespace mixtape;

int main() {
  Random random(1);
  const nn::Linear line(1, 1, random);
  optim::Adam optimizer(nn::parameters(line), {.learning_rate = 0.1});
  const Tensor x = Tensor::from({-1.0, 0.0, 1.0, 2.0}, {4, 1}, f32), y = x * 2.0 + 1.0;
  double last = 0;
  for (int64_t step = 0; step < 200; ++step) {
    Tape tape(random.at(step));
    const Tensor difference = line(x) - y, loss = mean(difference * difference);
    tape.backward(loss);
    optimizer.step();
    last = loss.item();
  }
  fmt::print("loss {:.4f}\n", last);
  return last < 0.01 ? 0 : 1;
}

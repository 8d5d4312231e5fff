#include "examples/attention_lab/cost.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/random.h"
#include "examples/common/training.h"
#include "nn/linear_attention.h"
#include "nn/multi_head_attention.h"

namespace mixtape::attention_lab {
namespace {

constexpr int64_t kWidth = 64, kHeads = 4, kReach = 32;
constexpr int kRuns = 4;

Cost measure(const Tensor& x, const std::function<Tensor(const Tensor& x)>& attention) {
  Cost cost{std::numeric_limits<double>::infinity(), 0};
  for (int i = 0; i < kRuns; ++i) {
    const double start = examples::seconds_now();
    Tape tape(RandomKey{});
    tape.watch(x);
    const Tensor loss = sum(attention(x));
    cost.bytes = tape.saved_bytes();
    tape.gradients(loss, {x});
    cost.seconds = std::min(cost.seconds, examples::seconds_now() - start);
  }
  return cost;
}

CostRow measure_row(int64_t length) {
  Random random(1);
  const nn::MultiHeadAttention attention({.width = kWidth, .heads = kHeads}, random);
  const nn::LinearAttention linear({.width = kWidth, .heads = kHeads}, random);
  const Tensor x = random.normal({1, length, kWidth}, 0, 1);
  const auto step_by_step = [&](const Tensor& z) { return attention.with_weights(z, z).output; };
  return {.length = length,
          .full = measure(x, step_by_step),
          .tiled = measure(x, [&](const Tensor& z) { return attention(z); }),
          .windowed = measure(x, [&](const Tensor& z) { return attention(z, nn::Attend{.mask = window(kReach)}); }),
          .linear = measure(x, [&](const Tensor& z) { return linear(z); })};
}

}  // namespace

std::vector<CostRow> measure_costs(const std::vector<int64_t>& lengths) {
  std::vector<CostRow> rows;
  for (int64_t length : lengths) rows.push_back(measure_row(length));
  return rows;
}

}  // namespace mixtape::attention_lab

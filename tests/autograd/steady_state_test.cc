#include <doctest/doctest.h>

#include <vector>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/allocator.h"
#include "autograd/tensors/random.h"
#include "tests/heap_allocations.h"
#include "tests/sanitizer.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

struct Counts {
  int64_t heap, system_calls, faults, resident;

  static Counts now() {
    const MemoryStatistics memory = memory_statistics();
    return {heap_allocations(), memory.system_calls, kAddressSanitizer ? 0 : page_faults(), memory.resident};
  }

  bool operator==(const Counts&) const = default;
};

// A small attention classifier, trained by hand.
struct Model {
  static constexpr int64_t kSequences = 8, kLength = 12, kHeads = 2, kWidth = 32, kClasses = 50;

  Random random{1};
  Tensor table = random.normal({kClasses, kWidth}, 0, 1).as_parameter();
  Tensor gamma = Tensor::ones({kWidth}).as_parameter(), beta = Tensor::zeros({kWidth}).as_parameter();
  Tensor query = random.normal({kWidth, kWidth}, 0, 0.1).as_parameter();
  Tensor key = random.normal({kWidth, kWidth}, 0, 0.1).as_parameter();
  Tensor out = random.normal({kWidth, kWidth}, 0, 0.1).as_parameter();
  Tensor bias = Tensor::zeros({kWidth}).as_parameter();
  Tensor words = Tensor::from(std::vector<int32_t>(kSequences * kLength, 3), {kSequences * kLength});
  Bounds bounds = Bounds({3, 21, 12, 1, 23, 12, 14, 10});
  AttentionOptions attention{.mask = causal(), .query_bounds = bounds, .key_bounds = bounds, .dropout = 0.1};

  double step(int64_t number) const {
    Tape tape(random.at(number));
    const Tensor x = embedding(words, table);
    const Tensor h = layer_norm(x, gamma, beta);
    const auto by_head = [](const Tensor& y) { return reshape(y, {-1, kHeads, kWidth / kHeads}); };
    const Tensor mixed =
        scaled_dot_product_attention(by_head(linear(h, query)), by_head(linear(h, key)), by_head(h), attention);
    const Tensor pooled = matmul(reshape(mixed, {kSequences, kLength, kWidth}), out);
    const Tensor y = x + dropout(gelu(reshape(pooled, {-1, kWidth}) + bias), 0.1);
    const Tensor loss = cross_entropy(linear(y * softmax(y), table), words, {.label_smoothing = 0.1});
    tape.backward(loss);
    for (const Tensor* parameter : {&table, &gamma, &beta, &query, &key, &out, &bias}) {
      const Tensor gradient = parameter->gradient();
      float* values = parameter->mutable_data<float>();
      for (int64_t i = 0; i < parameter->elements(); ++i) values[i] -= 0.1F * gradient.data<float>()[i];
      parameter->clear_gradient();
    }
    return loss.item();
  }
};

}  // namespace

TEST_CASE("the counter of heap allocations counts") {
  const int64_t before = heap_allocations();
  const std::vector<int> one(1000);
  CHECK(heap_allocations() > before);
  CHECK(one.size() == 1000);
}

// A thread gets its scratch memory when it first has a part in a loop, on a busy machine perhaps late: so several
// rounds, of which one must be clean.
TEST_CASE("a warm training step of fixed shape allocates nothing and takes no page fault") {
  constexpr int64_t kRound = 20, kRounds = 20;
  const Model model;
  const double first = model.step(0);
  double last = first;
  for (int64_t number = 1; number < kRound; ++number) model.step(number);
  Counts before{}, after = Counts::now();
  for (int64_t round = 1; round < kRounds && !(after == before); ++round) {
    before = Counts::now();
    for (int64_t i = 0; i < kRound; ++i) last = model.step(kRound * round + i);
    after = Counts::now();
  }
  CHECK(after.heap == before.heap);
  CHECK(after.system_calls == before.system_calls);
  CHECK(after.resident == before.resident);
  CHECK(after.faults == before.faults);
  CHECK(last < first);
}

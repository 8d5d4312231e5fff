// What training asks of the system once it is warm: nothing for a fixed shape, and no more than the allocator says for
// shapes that change.
#include <doctest/doctest.h>

#include <functional>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/allocator.h"
#include "nn/transformer.h"
#include "nn/vision_transformer.h"
#include "optim/adam.h"
#include "optim/clip.h"
#include "tests/bench/measure.h"
#include "tests/bench/models.h"
#include "tests/heap_allocations.h"
#include "tests/sanitizer.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

struct Demands {
  int64_t heap = heap_allocations(), calls = memory_statistics().system_calls, faults = page_faults();
};

}  // namespace

TEST_CASE("a warm step of the benchmark's models calls no operator new, asks for no memory, takes no page fault") {
  for (const std::string name : {"translator-toy", "gpt-char", "vit-toy"}) {
    CAPTURE(name);
    const bench::Workload work = bench::make_workload(name, 1);
    const Random random(1);
    const auto step = [&](int64_t number) {
      Tape tape(random.at(number));
      tape.backward(work.loss());
      optim::clip_grad_norm(*work.optimizer, 1.0);
      work.optimizer->step();
    };
    for (int64_t number = 1; number < 20; ++number) step(number);
    // On a busy machine a thread may come to some piece of work, and touch its room for that, for the first time late.
    int64_t faults = 1;
    for (int64_t first = 20; first < 100 && faults > 0; first += 20) {
      const Demands before;
      for (int64_t number = first; number <= first + 20; ++number) step(number);
      const Demands after;
      CHECK(after.heap == before.heap);
      CHECK(after.calls == before.calls);
      faults = after.faults - before.faults;
    }
    if (!kAddressSanitizer) CHECK(faults == 0);
  }
}

namespace {

std::vector<int32_t> words(int64_t count, Random& random) {
  std::vector<int32_t> all(static_cast<size_t>(count));
  for (int32_t& word : all) word = static_cast<int32_t>(random.below(200));
  return all;
}

Packed sentences(int64_t count, Random& random) {
  std::vector<int64_t> lengths(static_cast<size_t>(count));
  for (int64_t& length : lengths) length = 1 + static_cast<int64_t>(random.below(40));
  const Bounds bounds(lengths);
  return {Tensor::from(words(bounds.rows(), random), {bounds.rows()}), bounds};
}

// Trains on batches of other shapes in each of 1,000 steps, `loss` of a new one each time.
void check_memory(const nn::LayerBase& model, const std::function<Tensor()>& loss) {
  release_cached_memory();
  const double before = bench::resident_mb();
  const Random random(3);
  optim::Adam optimizer(nn::parameters(model));
  double most = 0;
  for (int64_t number = 0; number < 1000; ++number) {
    Tape tape(random.at(number));
    tape.backward(loss());
    optim::clip_grad_norm(optimizer, 1.0);
    optimizer.step();
    const MemoryStatistics memory = memory_statistics();
    REQUIRE(memory.resident <= memory.cap);
    most = std::max(most, bench::resident_mb() - before - static_cast<double>(memory.cap) / (1 << 20));
  }
  MESSAGE(to_string(memory_statistics()));
  // Code that ran for the first time, threads' stacks, OpenBLAS's buffers and the tape's lines are not tensors.
  if (!kAddressSanitizer) CHECK(most < 8);
}

}  // namespace

TEST_CASE("over 1,000 batch shapes a translator's memory stays within the allocator's cap") {
  Random random(3);
  const nn::Transformer model({.vocab = 200, .block = {.width = 32, .heads = 4, .feed_forward = 64}, .layers = 1},
                              random);
  check_memory(model, [&] {
    const int64_t pairs = 1 + static_cast<int64_t>(random.below(30));
    const Packed source = sentences(pairs, random), target = sentences(pairs, random);
    const Tensor labels = Tensor::from(words(target.bounds.rows(), random), {target.bounds.rows()});
    return cross_entropy(model(source, target), labels);
  });
}

TEST_CASE("over 1,000 batch sizes a ViT's memory stays within the allocator's cap") {
  Random random(3);
  const nn::VisionTransformer model({.image_height = 16,
                                     .image_width = 16,
                                     .channels = 1,
                                     .patch = 4,
                                     .block = {.width = 32,
                                               .heads = 4,
                                               .attention_dropout = 0,
                                               .activation = nn::Activation::gelu,
                                               .stochastic_depth = 0.1},
                                     .layers = 2,
                                     .stem = nn::Stem::convolution},
                                    random);
  check_memory(model, [&] {
    const int64_t images = 1 + static_cast<int64_t>(random.below(40));
    std::vector<int32_t> labels(static_cast<size_t>(images));
    for (int32_t& label : labels) label = static_cast<int32_t>(random.below(10));
    return cross_entropy(model(random.normal({images, 16, 16, 1}, 0, 1)), Tensor::from(labels, {images}));
  });
}

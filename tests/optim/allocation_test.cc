#include "autograd/tensors/allocator.h"
#include "optim/optim.h"
#include "tests/heap_allocations.h"
#include "tests/optim/support.h"

using namespace mixtape;
using tests::heap_allocations;
using namespace mixtape::optim_test;

TEST_CASE("optimizer: a step allocates nothing") {
  const Tensor large = make_parameter(f32, 50'000), small = make_parameter(f64, 5);
  const NamedTensors parameters = {{"large", large}, {"small", small}};
  optim::Sgd sgd(parameters, {.momentum = 0.9});
  optim::Adam adam(parameters);
  optim::AdamW adamw(parameters, {.groups = {{"large", {.weight_decay = 0}}}});
  optim::MovingAverage average(parameters);
  const Tensor of_large = gradient(1, large), of_small = gradient(1, small);
  for (optim::Optimizer* optimizer : std::initializer_list<optim::Optimizer*>{&sgd, &adam, &adamw}) {
    int64_t news_before = 0, calls_before = 0;
    for (int step = 0; step < 5; ++step) {
      if (step == 1) {
        news_before = heap_allocations();
        calls_before = memory_statistics().system_calls;
      }
      large.set_gradient(of_large);
      small.set_gradient(of_small);
      optim::clip_grad_norm(*optimizer, 1.0);
      optimizer->step();
      average.update();
    }
    CHECK(heap_allocations() == news_before);
    CHECK(memory_statistics().system_calls == calls_before);
  }
  const int64_t before = heap_allocations();
  CHECK(clone(parameters).size() == 2);  // the counter does count
  CHECK(heap_allocations() > before);
}

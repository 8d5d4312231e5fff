#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <thread>

#include "autograd/files/json.h"
#include "autograd/ops.h"
#include "autograd/tape/flops.h"
#include "autograd/tape/precision.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/threads.h"
#include "examples/common/command_line.h"
#include "nn/multi_head_attention.h"
#include "optim/clip.h"
#include "tests/bench/growth.h"
#include "tests/bench/measure.h"
#include "tests/bench/models.h"
#include "tests/bench/ops.h"

namespace mixtape::bench {
namespace {

struct Options {
  std::string model, op, by, out, dtype = "f32";
  int64_t value = 0;
  int64_t threads = static_cast<int64_t>(std::thread::hardware_concurrency()), warmup = 5, steps = 30, length = 1024;
  uint64_t seed = 1;
};

double rss_before_mb = 0;

void print(const Json& result) { fmt::print("{}\n", to_text(result)); }

void add_times(Json& result, const std::vector<double>& seconds) {
  result["median_s"] = quantile(seconds, 0.5);
  result["min_s"] = seconds.front();
  result["p90_s"] = quantile(seconds, 0.9);
  result["peak_rss_mb"] = peak_resident_mb();
  result["rss_before_mb"] = rss_before_mb;
}

// Forward only, without a tape, counts the matrix products that the loss needs.
int64_t forward_flops(const std::function<Tensor()>& loss) {
  const FlopCounter counter;
  loss();
  return counter.count();
}

void run_step(const Options& options) {
  const MixedPrecision precision(options.dtype == name_of(bf16) ? bf16 : f32);
  set_threads(static_cast<int>(options.threads));
  const Workload work = make_workload(options.model, options.seed);
  const Random random(options.seed);
  int64_t step = 0;
  double first = 0, last = 0;
  const auto seconds = time_calls(options.warmup, options.steps, [&] {
    Tape tape(random.at(step));
    const Tensor loss = work.loss();
    tape.backward(loss);
    optim::clip_grad_norm(*work.optimizer, 1.0);
    work.optimizer->step();
    last = loss.item();
    if (step++ == 0) first = last;
  });
  Json result{{"model", options.model},
              {"params", count_elements(work.parameters)},
              {"batch", work.batch},
              {"items_per_step", work.items}};
  add_times(result, seconds);
  result["gflops"] = 3e-9 * static_cast<double>(forward_flops(work.loss)) / quantile(seconds, 0.5);
  result["threads"] = options.threads;
  result["dtype"] = options.dtype;
  result["loss_first"] = first;
  result["loss_last"] = last;
  print(result);
}

void run_attention_long(const Options& options) {
  set_threads(static_cast<int>(options.threads));
  Random random(options.seed);
  const nn::MultiHeadAttention layer({.width = 256, .heads = 4}, random);
  const Tensor x = random.normal({1, options.length, 256}, 0, 1);
  const auto forward = [&] { return layer(x, nn::Attend{.mask = causal()}); };
  const Tensor seed = Tensor::ones(x.shape());
  const NamedTensors parameters = nn::parameters(layer);
  const auto seconds = time_calls(options.warmup, options.steps, [&] {
    Tape tape(random.at(0));
    tape.watch(x);
    tape.backward(forward(), {.seed = seed});
    for (const NamedTensor& parameter : parameters) parameter.tensor.clear_gradient();
  });
  Json result{{"model", "attention-long"},
              {"seq", options.length},
              {"params", nn::count_parameters(layer)},
              {"batch", 1},
              {"items_per_step", options.length}};
  add_times(result, seconds);
  result["gflops"] = 3e-9 * static_cast<double>(forward_flops(forward)) / quantile(seconds, 0.5);
  result["threads"] = options.threads;
  result["dtype"] = options.dtype;
  const double loss = sum(forward()).item();
  result["loss_first"] = loss;
  result["loss_last"] = loss;
  print(result);
}

void run_op(const Options& options) {
  set_threads(static_cast<int>(options.threads));
  const OpWork work = make_op(options.op, options.seed);
  const auto forward = time_calls(options.warmup, options.steps, work.forward);
  const auto both = time_calls(options.warmup, options.steps, work.forward_backward);
  const double seconds = quantile(forward, 0.5);
  print({{"op", options.op},
         {"forward_s", seconds},
         {"forward_backward_s", quantile(both, 0.5)},
         {"gflops", 1e-9 * work.flops / seconds},
         {"gbytes_per_s", 1e-9 * work.bytes / seconds},
         {"threads", options.threads}});
}

// One point: as many steps as fit into about a second, from three to 200.
void run_growth_point(const Options& options) {
  set_threads(static_cast<int>(options.threads));
  const std::function<void()> step = find_growth(options.by).step(options.value);
  const double first = time_calls(1, 1, step).front();
  const auto seconds = time_calls(0, std::clamp<int64_t>(static_cast<int64_t>(1 / first), 3, 200), step);
  Json result{{"growth", options.by}, {"value", options.value}};
  add_times(result, seconds);
  print(result);
}

void run_growth(const Options& options) {
  if (options.by.empty() != (options.value == 0)) fail("bench: --by and --value go together");
  if (options.by.empty() == options.out.empty()) fail("bench: expected either --out, or --by and --value");
  if (options.out.empty()) return run_growth_point(options);
  write_growths(std::filesystem::read_symlink("/proc/self/exe"), options.out, options.threads);
}

void setup(examples::Command& bench) {
  static Options options;
  using examples::whole_number;
  const auto common = [](examples::Command& command) {
    command.option("--threads", options.threads, "compute threads").check(whole_number(1, 1024));
    command.option("--warmup", options.warmup, "calls that are not timed").check(whole_number(0));
    command.option("--steps", options.steps, "calls that are timed").check(whole_number(1));
    command.option("--seed", options.seed, "of weights and input").check(whole_number(0));
  };
  examples::Command step = bench.subcommand("step", "Times whole training steps of a model on fixed synthetic input.");
  step.option("--model", options.model, fmt::format("{}", fmt::join(workload_names(), ", "))).required();
  step.option("--dtype", options.dtype, "what matrix products multiply").one_of({"f32", "bf16"});
  common(step);
  step.run([] { run_step(options); });
  examples::Command attention =
      bench.subcommand("attention-long", "Times forward and backward of one causal self-attention layer.");
  attention.option("--seq", options.length, "positions").required().check(whole_number(1, 1 << 20));
  common(attention);
  attention.run([] { run_attention_long(options); });
  examples::Command growth = bench.subcommand(
      "growth", "Measures how the cost of a step grows with length, batch, width, vocabulary and ops on the tape.");
  growth.option("--out", options.out, "folder for growth.md and its drawings; every size is measured");
  growth.option("--by", options.by, "measure one: length, batch, width, vocabulary or tape");
  growth.option("--value", options.value, "at this size").check(whole_number(1, 1 << 20));
  growth.option("--threads", options.threads, "compute threads").check(whole_number(1, 1024));
  growth.run([] { run_growth(options); });
  examples::Command op = bench.subcommand("op", "Times one op, forward alone and with backward.");
  op.option("--op", options.op,
            "softmax, layer_norm, gelu, matmul-256|512|1024, linear, cross_entropy, embedding, adam")
      .required();
  common(op);
  op.run([] { run_op(options); });
}

}  // namespace
}  // namespace mixtape::bench

int main(int argc, char** argv) {
  mixtape::bench::rss_before_mb = mixtape::bench::resident_mb();
  return mixtape::examples::run_program("bench", "Measures training steps and ops; the last line of output is JSON.",
                                        argc, argv, mixtape::bench::setup);
}

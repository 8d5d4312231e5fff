#include "tests/bench/growth.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "autograd/files/file.h"
#include "autograd/files/json.h"
#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "examples/common/chart.h"
#include "examples/common/format.h"
#include "nn/language_model.h"
#include "optim/adamw.h"
#include "optim/clip.h"

namespace mixtape::bench {
namespace {

struct Size {
  int64_t batch = 16, length = 64, width = 128, vocab = 1000;
};

// A whole training step of a small language model.
std::function<void()> train_step(const Size& size) {
  Random random(1);
  const nn::LanguageModelOptions options{.vocab = size.vocab,
                                         .block = {.width = size.width,
                                                   .heads = 4,
                                                   .dropout = 0,
                                                   .attention_dropout = 0,
                                                   .activation = nn::Activation::gelu},
                                         .layers = 2,
                                         .longest = size.length};
  const auto model = std::make_shared<nn::LanguageModel>(options, random);
  const auto optimizer = std::make_shared<optim::AdamW>(nn::parameters(*model));
  std::vector<int32_t> ids(static_cast<size_t>(size.batch * size.length));
  for (int32_t& id : ids) id = static_cast<int32_t>(random.below(size.vocab));
  const Tensor labels = Tensor::from(ids, {size.batch * size.length});
  const Packed tokens{labels, Bounds::uniform(size.batch, size.length)};
  return [=] {
    Tape tape(Random(1).at(0));
    const Tensor loss = cross_entropy((*model)(tokens), labels);  // the logits are gone once the loss is there
    tape.backward(loss);
    optim::clip_grad_norm(*optimizer, 1.0);
    optimizer->step();
  };
}

// A chain of ops on 16 numbers, forward and backward: what recording and playing cost by themselves.
std::function<void()> chain(int64_t ops) {
  const Tensor x = Tensor::ones({16});
  return [=] {
    Tape tape(RandomKey{});
    Tensor y = tape.watch(x);
    for (int64_t i = 0; i < ops; ++i) y = y * 1.0001;
    tape.backward(sum(y));
  };
}

std::vector<int64_t> doubled(int64_t first, int64_t last) {
  std::vector<int64_t> values;
  for (int64_t value = first; value <= last; value *= 2) values.push_back(value);
  return values;
}

Cost measured(const std::string& program, const Growth& growth, int64_t value, int64_t threads) {
  const std::string command =
      fmt::format("'{}' growth --by {} --value {} --threads {}", program, growth.name, value, threads);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 512> line = {};
  if (!pipe || !fgets(line.data(), line.size(), pipe.get())) fail(fmt::format("growth: {} gave nothing", command));
  const Json json = parse_json(line.data(), command);
  return {value, json.at("median_s").number(), json.at("peak_rss_mb").number() - json.at("rss_before_mb").number()};
}

std::string table(const Growth& growth, const std::vector<Cost>& costs) {
  std::string text = fmt::format("| {} | step, ms | peak memory, MiB |\n|---:|---:|---:|\n", growth.label);
  for (const Cost& cost : costs)
    text += fmt::format("| {} | {:.3f} | {:.1f} |\n", cost.value, 1e3 * cost.seconds, cost.peak_mb);
  return text;
}

examples::LineChart chart_of(const Growth& growth, const std::vector<Cost>& costs) {
  examples::Series time{.name = "step, ms", .points = {}}, memory{.name = "peak memory, MiB", .points = {}};
  for (const Cost& cost : costs) {
    const auto x = static_cast<double>(cost.value);
    time.points.push_back({x, 1e3 * cost.seconds});
    memory.points.push_back({x, cost.peak_mb});
  }
  return {.title = "Cost of a step by " + growth.label,
          .x_label = growth.label,
          .y_label = "ms and MiB",
          .series = {time, memory},
          .log_x = true,
          .log_y = true};
}

}  // namespace

std::vector<Growth> growths() {
  return {
      {"length", "positions of one sequence", doubled(256, 16384),
       [](int64_t value) { return train_step({.batch = 1, .length = value}); }},
      {"batch", "sequences of 64 positions", doubled(1, 512),
       [](int64_t value) { return train_step({.batch = value}); }},
      {"width", "width", doubled(64, 1024), [](int64_t value) { return train_step({.width = value}); }},
      {"vocabulary", "tokens in the vocabulary", doubled(1000, 64000),
       [](int64_t value) { return train_step({.vocab = value}); }},
      {"tape", "ops on the tape", {10, 100, 1000, 10'000, 100'000}, chain},
  };
}

Growth find_growth(const std::string& name) {
  for (const Growth& growth : growths())
    if (growth.name == name) return growth;
  fail(fmt::format("bench: no growth by {}, expected length, batch, width, vocabulary or tape", name));
}

void write_growths(const std::string& program, const std::string& folder, int64_t threads) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(fmt::format("cannot make the folder {}: {}", folder, error.message()));
  std::string text;
  for (const Growth& growth : growths()) {
    std::vector<Cost> costs;
    for (const int64_t value : growth.values) {
      costs.push_back(measured(program, growth, value, threads));
      fmt::print(stderr, "{} {}: {:.3f} ms, {:.1f} MiB\n", growth.name, value, 1e3 * costs.back().seconds,
                 costs.back().peak_mb);
    }
    text += fmt::format("## By {}\n\n![{}](growth-{}.svg)\n\n{}\n", growth.label, growth.label, growth.name,
                        table(growth, costs));
    write_atomically(fmt::format("{}/growth-{}.svg", folder, growth.name), line_chart_svg(chart_of(growth, costs)));
  }
  write_atomically(folder + "/growth.md", text);
}

}  // namespace mixtape::bench

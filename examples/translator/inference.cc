#include "examples/translator/inference.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "autograd/tensors/error.h"
#include "nn/generate.h"
#include "nn/save.h"

namespace mixtape::translator {
namespace {

constexpr size_t kBatchTokens = 2048;  // source tokens of a batch, times the beam
constexpr size_t kShortestBatch = 1;

}  // namespace

Translator load_translator(const examples::RunFolder& run) {
  const examples::Config config = run.read_config();
  config.expect("program", "translator");
  const Preset preset = read_preset(config);
  if (!std::filesystem::exists(run.model())) {
    fail(fmt::format(
        "{}: the training has not finished (no model.safetensors); go on with it: translator train --resume",
        run.path()));
  }
  Random random(0);
  Translator translator{preset, data::Subwords::load(run.tokenizer()), nn::Transformer(preset.model, random)};
  if (translator.subwords.vocab_size() != preset.model.vocab) {
    fail(fmt::format("{}: the tokenizer has {} pieces, the model {}", run.path(), translator.subwords.vocab_size(),
                     preset.model.vocab));
  }
  nn::load(translator.model, run.model());
  return translator;
}

std::vector<std::string> translate(const nn::Transformer& model, const data::Subwords& subwords,
                                   const std::vector<std::string>& lines, const DecodeOptions& options,
                                   const std::function<void(int64_t done)>& done) {
  std::vector<std::vector<int32_t>> sources;
  for (size_t i = 0; i < lines.size(); ++i) {
    sources.push_back(subwords.encode(lines[i]));
    sources.back().push_back(data::Subwords::kEos);
    if (static_cast<int64_t>(sources.back().size()) > model.options.longest) {
      fail(fmt::format("line {}: {} tokens, the model takes at most {}", i + 1, sources.back().size(),
                       model.options.longest));
    }
  }
  std::vector<size_t> order(lines.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sources[a].size() < sources[b].size(); });
  std::vector<std::string> translations(lines.size());
  for (size_t first = 0; first < order.size();) {
    std::vector<std::vector<int32_t>> batch;
    size_t last = first;
    while (last < order.size() &&
           (batch.size() < kShortestBatch ||
            (batch.size() + 1) * sources[order[last]].size() * static_cast<size_t>(options.beam) <= kBatchTokens)) {
      batch.push_back(sources[order[last++]]);
    }
    const auto length = static_cast<int64_t>(batch.back().size());
    const nn::SearchOptions search{.beam = options.beam,
                                   .longest = std::min(2 * length + 10, model.options.longest),
                                   .length_power = options.length_power,
                                   .begin = data::Subwords::kBos,
                                   .end = data::Subwords::kEos,
                                   .never = {data::Subwords::kPad, data::Subwords::kUnk, data::Subwords::kBos}};
    const std::vector<nn::Hypothesis> found = nn::translate(model, pack(batch), search);
    for (size_t i = 0; i < found.size(); ++i) {
      const size_t line = order[first + i];
      if (!lines[line].empty()) translations[line] = subwords.decode(found[i].tokens);
    }
    first = last;
    if (done) done(static_cast<int64_t>(first));
  }
  return translations;
}

}  // namespace mixtape::translator

#include "examples/translator/report.h"

#include <fmt/format.h>

#include "autograd/files/file.h"
#include "autograd/ops/packed.h"
#include "data/subwords.h"
#include "data/text_batches.h"
#include "examples/common/heat_map.h"
#include "examples/common/html.h"
#include "examples/common/training_charts.h"
#include "nn/multi_head_attention.h"

namespace mixtape::translator {
namespace {

using namespace examples;

constexpr size_t kDrawn = 3;          // sentences whose attention is drawn
constexpr size_t kLongestDrawn = 24;  // tokens of such a sentence

Html curves(const RunFolder& run) {
  return training_charts(read_metrics(run.metrics()), {.item = "target token",
                                                       .training_loss = "smoothed labels",
                                                       .score = "bleu",
                                                       .score_title = "BLEU on validation sentences, greedy",
                                                       .score_unit = "BLEU"});
}

std::vector<std::string> labels_of(const data::Subwords& subwords, const std::vector<int32_t>& tokens) {
  std::vector<std::string> labels;
  for (int32_t token : tokens) labels.push_back(subwords.piece(token));
  return labels;
}

// A section for each attention layer of the model, with a heat map for each head.
Html attention_of(const Translator& translator, const Sample& sample) {
  data::TokenPairs pair;
  pair.source.push_back(translator.subwords.encode(sample.source));
  pair.target.push_back(translator.subwords.encode(sample.translation));
  if (pair.source[0].size() > kLongestDrawn || pair.target[0].size() > kLongestDrawn) return {};
  const data::TextBatch batch = data::make_batch(pair, {0});
  std::vector<int32_t> from = pair.source[0], to = pair.target[0];
  from.push_back(data::Subwords::kEos);
  to.insert(to.begin(), data::Subwords::kBos);
  const std::vector<std::string> source = labels_of(translator.subwords, from),
                                 target = labels_of(translator.subwords, to);

  const nn::AttentionRecorder recorder;
  translator.model(batch.source, batch.target_in);
  Html all;
  for (const nn::AttentionRecorder::Entry& entry : recorder.entries()) {
    const bool encoder = entry.path.starts_with("encoder"), cross = entry.path.ends_with("cross");
    const std::vector<std::string>& queries = encoder ? source : target;
    const std::vector<std::string>& keys = encoder || cross ? source : target;
    const std::vector<double> weights = entry.weights.values();
    const size_t size = queries.size() * keys.size();
    std::vector<HeatMap> maps;
    for (int64_t h = 0; h < entry.weights.size(1); ++h) {
      const auto first = weights.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(h) * size);
      maps.push_back({.title = fmt::format("head {}", h),
                      .rows = queries,
                      .columns = keys,
                      .values = std::vector<float>(first, first + static_cast<std::ptrdiff_t>(size))});
    }
    all += html_paragraph(entry.path);
    all += heat_maps(maps);
  }
  return all;
}

Html samples_table(const std::vector<Sample>& samples) {
  std::vector<std::vector<std::string>> rows;
  for (const Sample& sample : samples) rows.push_back({sample.source, sample.translation, sample.reference});
  return html_table({"source", "translation", "reference"}, rows);
}

}  // namespace

void write_report(const RunFolder& run, const Translator& translator, const Scores& scores,
                  const std::vector<Sample>& samples) {
  const nn::TransformerOptions& model = translator.preset.model;
  Html body =
      html_section("Result", html_key_values({{"part of the data", fmt::format("{} {}", scores.sentences, scores.on)},
                                              {"BLEU", fmt::format("{:.2f}", scores.bleu)},
                                              {"chrF", fmt::format("{:.2f}", scores.chrf)},
                                              {"exact match", fmt::format("{:.1f} %", 100 * scores.exact_match)}}));
  body += html_section("Training", curves(run));
  body += html_section(
      "Model", html_key_values({{"parameters", fmt::format("{}", nn::count_parameters(translator.model))},
                                {"vocabulary", fmt::format("{}", model.vocab)},
                                {"width, heads", fmt::format("{}, {}", model.block.width, model.block.heads)},
                                {"layers", fmt::format("{} + {}", model.layers, model.layers)},
                                {"feed-forward", fmt::format("{}", model.block.feed_forward)},
                                {"dropout", fmt::format("{}", model.block.dropout)},
                                {"learning rate",
                                 fmt::format("{} at its peak, {}, {} steps of warm-up", translator.preset.rate.peak,
                                             translator.preset.rate.name, translator.preset.rate.warmup)}}));
  body += html_section("Translations", samples_table(samples));
  size_t drawn = 0;
  for (const Sample& sample : samples) {
    if (drawn == kDrawn) break;
    const Html maps = attention_of(translator, sample);
    if (maps.markup.empty()) continue;
    Html section = html_paragraph(
        fmt::format("{} → {}. Each row is a query token, each column a key token.", sample.source, sample.translation));
    section += maps;
    body += html_section(fmt::format("Attention, sentence {}", ++drawn), section);
  }
  const std::string summary =
      fmt::format("BLEU {:.2f} on {} {} ({})", scores.bleu, scores.sentences, scores.on, scores.signature);
  write_atomically(run.report(), html_page("Translator", summary, body));
}

}  // namespace mixtape::translator

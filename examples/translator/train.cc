#include "examples/translator/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "autograd/tensors/error.h"
#include "autograd/tensors/threads.h"
#include "data/bleu.h"
#include "data/chrf.h"
#include "data/text_batches.h"
#include "data/toy_translation.h"
#include "examples/common/plan.h"
#include "examples/common/training.h"
#include "examples/translator/inference.h"
#include "examples/translator/preset.h"
#include "examples/translator/report.h"
#include "optim/adam.h"

namespace mixtape::translator {
namespace {

using examples::RunFolder;
using examples::TrainOptions;

constexpr size_t kBleuSentences = 200;  // decoded for the BLEU curve
constexpr size_t kShown = 8;            // translations printed at the end
constexpr int64_t kLongestPair = 250;   // tokens of source or target; longer pairs are not used

data::ParallelSplits read_data(const std::string& data, const std::string& folder, const std::string& pair) {
  if (data == "toy") {
    data::ToyCorpus corpus = data::toy_translation();
    return {std::move(corpus.train), std::move(corpus.validation), std::move(corpus.test)};
  }
  if (folder.empty()) fail(fmt::format("--data {} needs --data-dir, the folder that holds it", data));
  return data == "multi30k" ? data::read_multi30k(folder, pair) : data::read_tsv_folder(folder);
}

// Without validation data, the last twentieth of the training pairs is held out.
void hold_out(data::ParallelSplits& splits) {
  auto& train = splits.train.pairs;
  if (train.empty()) fail("the training data has no sentence pair");
  if (!splits.val.pairs.empty() || train.size() < 20) return;
  const auto first = train.end() - static_cast<std::ptrdiff_t>(std::min<size_t>(train.size() / 20, 1000));
  splits.val.pairs.assign(first, train.end());
  train.erase(first, train.end());
}

// What determines a run. Fixed when it begins.
struct Plan {
  examples::Plan common;
  std::string pair;
  Preset preset;
};

Plan new_plan(const TrainOptions& options, const std::string& pair) {
  const Preset preset = with_settings(find_preset(options.preset, options.data), options.settings);
  return {examples::new_plan(options, preset.epochs), pair, preset};
}

Plan read_plan(const RunFolder& run, const TrainOptions& options) {
  const examples::Config config = run.read_config();
  return {examples::read_plan(config, "translator", options), config.text("pair"), read_preset(config)};
}

void write_config(const RunFolder& run, const Plan& plan) {
  Json values = to_json(plan.common, "translator");
  values["pair"] = plan.pair;
  values["preset"] = to_json(plan.preset);
  run.write_config(values);
}

struct Run {
  Plan plan;
  data::Subwords subwords;
  std::optional<RunFolder> folder;  // of a new run: created once data and settings are known to be valid
};

Run prepare(const TrainOptions& options, const std::string& pair, const data::ParallelText& train) {
  std::optional<RunFolder> folder;
  if (options.resume) folder = RunFolder::resume(options.out);
  if (folder && folder->has_config()) {
    return {read_plan(*folder, options), data::Subwords::load(folder->tokenizer()), std::move(folder)};
  }
  Plan plan = new_plan(options, pair);
  const data::Subwords subwords = data::Subwords::train(data::all_sentences(train), {.vocab = plan.preset.vocab});
  plan.preset.model.vocab = subwords.vocab_size();
  return {plan, subwords, std::move(folder)};
}

RunFolder start(const TrainOptions& options, Run& run) {
  RunFolder folder = run.folder ? std::move(*run.folder) : RunFolder::create(options.out);
  run.subwords.save(folder.tokenizer());
  write_config(folder, run.plan);
  return folder;
}

// The steps of the first `epochs` epochs.
int64_t steps_of(const data::TokenPairs& corpus, const Plan& plan, int64_t epochs) {
  int64_t steps = 0;
  for (int64_t epoch = 0; epoch < epochs; ++epoch) {
    steps += static_cast<int64_t>(
        data::plan_batches(corpus, {.tokens = plan.preset.tokens, .seed = plan.common.seed, .epoch = epoch}).size());
  }
  return steps;
}

// Mean negative log-probability of the validation targets.
double validation_loss(const nn::Transformer& model, const data::TokenPairs& corpus) {
  double total = 0;
  int64_t tokens = 0;
  for (const data::TextBatch& batch : data::batches(corpus, {.shuffle = false})) {
    total +=
        cross_entropy(model(batch.source, batch.target_in), batch.target_out, {.reduction = Reduction::sum}).item();
    tokens += batch.target_tokens();
  }
  return tokens > 0 ? total / static_cast<double>(tokens) : 0;
}

struct Sides {
  std::vector<std::string> sources, references;
};

Sides sides_of(const data::ParallelText& text, size_t most) {
  Sides sides;
  for (size_t i = 0; i < std::min(most, text.pairs.size()); ++i) {
    sides.sources.push_back(text.pairs[i].source);
    sides.references.push_back(text.pairs[i].target);
  }
  return sides;
}

void conclude(const RunFolder& run, const data::ParallelSplits& splits, const std::string& data) {
  const Translator translator = load_translator(run);
  const bool toy = data == "toy";
  const data::ParallelText& part = toy ? splits.test : splits.val;
  Scores scores{.on = toy ? "unseen test sentences" : "validation sentences"};
  std::vector<Sample> samples;
  if (!part.pairs.empty()) {
    const Sides sides = sides_of(part, part.pairs.size());
    const auto translations = translate(translator.model, translator.subwords, sides.sources,
                                        {translator.preset.beam, translator.preset.length_power});
    scores.bleu = data::bleu(translations, sides.references).score;
    scores.chrf = data::chrf(translations, sides.references).score;
    scores.signature = data::bleu_signature();
    scores.sentences = static_cast<int64_t>(translations.size());
    int64_t exact = 0;
    for (size_t i = 0; i < translations.size(); ++i) exact += translations[i] == sides.references[i];
    scores.exact_match = static_cast<double>(exact) / static_cast<double>(translations.size());
    const size_t stride = std::max<size_t>(1, translations.size() / kShown);
    for (size_t i = 0; i < translations.size() && samples.size() < kShown; i += stride) {
      samples.push_back({sides.sources[i], sides.references[i], translations[i]});
    }
  }
  write_report(run, translator, scores, samples);
  for (const Sample& sample : samples)
    fmt::print("{}\n  -> {}\n  =  {}\n", sample.source, sample.translation, sample.reference);
  if (scores.sentences > 0) {
    fmt::print("{} {}, beam {}, {}\n", scores.sentences, scores.on, translator.preset.beam, scores.signature);
    fmt::print("chrF {:.2f}\nexact match {:.1f} %\nBLEU {:.2f}\n", scores.chrf, 100 * scores.exact_match, scores.bleu);
  }
  fmt::print("report: {}\n", run.report());
}

}  // namespace

void run_train(const TrainOptions& options, const std::string& pair, double started) {
  if (options.threads) set_threads(static_cast<int>(*options.threads));
  if (!options.resume) RunFolder::expect_none(options.out);
  data::ParallelSplits splits = read_data(options.data, options.data_dir, pair);
  hold_out(splits);

  Run prepared = prepare(options, pair, splits.train);
  const auto& [plan, subwords, opened] = prepared;
  const Preset& preset = plan.preset;
  const data::TokenPairs train = data::encode_pairs(splits.train, subwords, kLongestPair);
  const data::TokenPairs val = data::encode_pairs(splits.val, subwords, kLongestPair);
  const Sides bleu_part = sides_of(splits.val, kBleuSentences);

  Random random(plan.common.seed);
  const nn::Transformer model(preset.model, random);
  optim::Adam optimizer(nn::parameters(model),
                        {.learning_rate = preset.rate.peak, .betas = {0.9, 0.98}, .epsilon = 1e-9});
  optim::CheckpointAverage average(preset.average);
  const bool begun = opened && opened->has_config();
  RunFolder run = begun ? std::move(*prepared.folder) : start(options, prepared);
  if (!begun) {
    fmt::print(stderr, "{} training pairs, {} subwords, {} parameters, {} threads, {}\n", train.size(),
               subwords.vocab_size(), nn::count_parameters(model), threads(), instruction_set());
  }
  const examples::Training training{
      .run = run,
      .tensors = nn::named_tensors(model),
      .optimizer = optimizer,
      .average = average,
      .seed = plan.common.seed,
      .dtype = plan.common.dtype,
      .epoch =
          [&](int64_t epoch, int64_t first, const auto& step) {
            auto batches = data::batches(
                train, {.tokens = preset.tokens, .seed = plan.common.seed, .epoch = epoch, .first = first});
            for (const data::TextBatch& batch : batches) {
              const auto forward = [&] {
                const Tensor logits = model(batch.source, batch.target_in);
                return examples::StepLoss{
                    cross_entropy(logits, batch.target_out, {.label_smoothing = preset.label_smoothing}),
                    batch.target_tokens()};
              };
              if (!step(forward)) break;
            }
            return first + batches.size();
          },
      .learning_rate = preset.rate,
      .evaluate =
          [&] {
            const auto translations = translate(model, subwords, bleu_part.sources, {.beam = 1});
            std::map<std::string, double> values{{"val_loss", validation_loss(model, val)}};
            if (!translations.empty()) values["bleu"] = data::bleu(translations, bleu_part.references).score;
            return values;
          },
      .steps = plan.common.steps > 0 ? plan.common.steps : steps_of(train, plan, plan.common.epochs),
      .minutes = plan.common.minutes,
      .epoch_steps = steps_of(train, plan, 1),
      .conclusion = 8,
      .started = started,
      .checkpoint_seconds = options.checkpoint_seconds,
      .resume_command = examples::resume_command("translator", options)};
  examples::train(training, options.resume);
  conclude(run, splits, plan.common.data);
}

}  // namespace mixtape::translator

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "data/text_batches.h"
#include "examples/attention_lab/preset.h"
#include "examples/translator/inference.h"
#include "nn/generate.h"

namespace mixtape::attention_lab {
namespace {

constexpr size_t kPairs = 3000;  // the shortest of the corpus that ships: enough for a model that trains in seconds

struct TrainedTranslator {
  data::Subwords subwords;
  nn::Transformer model;
  std::vector<GradientNorms> norms;
};

size_t length(const data::SentencePair& pair) { return pair.source.size() + pair.target.size(); }

std::vector<int32_t> encode(const data::Subwords& subwords, const std::string& sentence) {
  std::vector<int32_t> source = subwords.encode(sentence);
  check_length(fmt::format("sentence \"{}\"", sentence), std::ssize(source) + 1);
  return source;
}

// Fails before training if the sentence cannot be shown.
TrainedTranslator train_small(const std::string& sentence, const std::string& layer) {
  std::vector<data::SentencePair> pairs = shipped_corpus().train.pairs;
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return length(a) < length(b); });
  pairs.resize(kPairs);
  const data::ParallelText text{pairs};
  const data::Subwords subwords = data::Subwords::train(data::all_sentences(text), {.vocab = 800});
  encode(subwords, sentence);
  const data::TokenPairs corpus = data::encode_pairs(text, subwords);
  Random random(1);
  const nn::Transformer model(
      {.vocab = subwords.vocab_size(),
       .block = {.width = 16, .heads = 2, .feed_forward = 32, .dropout = 0, .attention_dropout = 0},
       .layers = 2,
       .longest = 64},
      random);
  if (!layer.empty()) check_layer(model, layer);
  const auto plan = data::plan_batches(corpus, {.tokens = 1024, .seed = 1});
  const auto loss = [&](int64_t step) {
    const data::TextBatch batch = data::make_batch(corpus, plan[static_cast<size_t>(step) % plan.size()]);
    return cross_entropy(model(batch.source, batch.target_in), batch.target_out);
  };
  std::vector<GradientNorms> norms = train(model, kTrainingSteps, 1e-2, 1, loss);
  return {subwords, model, std::move(norms)};
}

TrainedTranslator load_translator(const std::string& run) {
  const translator::Translator loaded = translator::load_translator(examples::RunFolder::open(run));
  return {loaded.subwords, loaded.model, {}};
}

// A short sentence of the test set.
data::SentencePair default_pair() {
  const std::vector<data::SentencePair>& test = shipped_corpus().test.pairs;
  return *std::min_element(test.begin(), test.end(),
                           [](const auto& a, const auto& b) { return length(a) < length(b); });
}

std::vector<int32_t> translate(const TrainedTranslator& trained, const std::vector<int32_t>& source) {
  std::vector<int32_t> ended = source;
  ended.push_back(data::Subwords::kEos);
  const nn::SearchOptions search{.beam = 1,
                                 .longest = kLongestText - 1,
                                 .begin = data::Subwords::kBos,
                                 .end = data::Subwords::kEos,
                                 .never = {data::Subwords::kPad, data::Subwords::kUnk, data::Subwords::kBos}};
  return nn::translate(trained.model, pack({ended}), search)[0].tokens;
}

std::vector<std::string> labels(const data::Subwords& subwords, std::vector<int32_t> tokens, bool source) {
  if (source) {
    tokens.push_back(data::Subwords::kEos);
  } else {
    tokens.insert(tokens.begin(), data::Subwords::kBos);
  }
  std::vector<std::string> result;
  for (int32_t token : tokens) result.push_back(subwords.piece(token));
  return result;
}

}  // namespace

Preset make_translation(const Choice& choice) {
  const data::SentencePair pair = default_pair();
  const std::string sentence = choice.sentence.empty() ? pair.source : choice.sentence;
  const TrainedTranslator trained =
      choice.run.empty() ? train_small(sentence, choice.layer) : load_translator(choice.run);
  const bool own = choice.run.empty() && choice.sentence.empty();
  const std::vector<int32_t> source = encode(trained.subwords, sentence);
  const std::vector<int32_t> target = own ? trained.subwords.encode(pair.target) : translate(trained, source);
  check_length("its translation", std::ssize(target) + 1);

  nn::to(trained.model, f64);
  const data::TextBatch batch = data::make_batch({{source}, {target}}, {0});
  const auto loss = [&] { return cross_entropy(trained.model(batch.source, batch.target_in), batch.target_out); };
  const int64_t last = static_cast<int64_t>(trained.model.decoder.layer.size()) - 1;
  const std::string layer = choice.layer.empty() ? fmt::format("decoder.layer.{}.cross", last) : choice.layer;
  const std::string model =
      choice.run.empty()
          ? fmt::format("a small translator trained for {} steps on the sentences that ship", kTrainingSteps)
          : fmt::format("the translator of {}", choice.run);
  const auto from = labels(trained.subwords, source, true), to = labels(trained.subwords, target, false);
  Preset preset{.title = "Translation",
                .about = fmt::format("\"{}\" and \"{}\" ({}) in {}; the loss is the translation's cross entropy.",
                                     sentence, trained.subwords.decode(target),
                                     own ? "from the corpus" : "the model's own translation", model),
                .kind = "text",
                .queries = layer.starts_with("decoder") ? to : from,
                .keys = layer.starts_with("encoder") || layer.ends_with(".cross") ? from : to,
                .layer = layer,
                .query = 1,
                .norms = trained.norms};
  fill(preset, capture(trained.model, loss, layer));
  return preset;
}

}  // namespace mixtape::attention_lab

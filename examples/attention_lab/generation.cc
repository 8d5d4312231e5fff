#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "examples/attention_lab/preset.h"
#include "nn/language_model.h"

namespace mixtape::attention_lab {
namespace {

constexpr size_t kSentences = 2000;
constexpr size_t kBatchSentences = 32;  // sentences
constexpr int64_t kLongest = 48;        // characters of a training sentence
constexpr int32_t kMark = 0;            // begins and ends a sentence

// The characters of the text, numbered from 1.
class Characters {
 public:
  explicit Characters(const std::vector<std::string>& sentences) {
    for (const std::string& sentence : sentences)
      for (char c : sentence) ids_.emplace(c, 0);
    int32_t next = kMark;
    for (auto& [c, id] : ids_) id = ++next;
  }

  int64_t vocab() const { return std::ssize(ids_) + 1; }

  std::vector<int32_t> encode(const std::string& text) const {
    std::vector<int32_t> result;
    for (char c : text) {
      const auto found = ids_.find(c);
      if (found == ids_.end()) fail(fmt::format("sentence \"{}\": a character that the model has not seen", text));
      result.push_back(found->second);
    }
    return result;
  }

 private:
  std::map<char, int32_t> ids_;
};

// The inputs of the model, and the characters it should predict: the same text, shifted by one.
struct Example {
  std::vector<std::vector<int32_t>> in;
  std::vector<int32_t> out;

  void add(const std::vector<int32_t>& characters) {
    out.insert(out.end(), characters.begin(), characters.end());
    in.push_back({kMark});
    in.back().insert(in.back().end(), characters.begin(), characters.end() - 1);
  }
};

Tensor loss_of(const nn::LanguageModel& model, const Example& example) {
  return cross_entropy(model(pack(example.in)), Tensor::from(example.out, {std::ssize(example.out)}));
}

std::vector<std::string> training_sentences() {
  std::vector<std::string> sentences;
  for (const data::SentencePair& pair : shipped_corpus().train.pairs) {
    const bool ascii = std::all_of(pair.source.begin(), pair.source.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (ascii && std::ssize(pair.source) < kLongest) sentences.push_back(pair.source);
    if (sentences.size() == kSentences) break;
  }
  return sentences;
}

std::vector<std::string> labels(const std::string& text) {
  std::vector<std::string> result = {"<s>"};
  for (char c : text.substr(0, text.size() - 1)) result.push_back(c == ' ' ? "␣" : std::string(1, c));
  return result;
}

}  // namespace

Preset make_generation(const Choice& choice) {
  const std::vector<std::string> sentences = training_sentences();
  const Characters characters(sentences);
  const std::string test = shipped_corpus().test.pairs[0].source;
  const std::string text = choice.sentence.empty() ? test.substr(0, kLongestText) : choice.sentence;
  check_length(fmt::format("sentence \"{}\"", text), std::ssize(text));
  Example shown;
  shown.add(characters.encode(text));

  Random random(1);
  const nn::LanguageModel model({.vocab = characters.vocab(),
                                 .block = {.width = 16,
                                           .heads = 2,
                                           .feed_forward = 32,
                                           .dropout = 0,
                                           .attention_dropout = 0,
                                           .activation = nn::Activation::gelu},
                                 .layers = 2,
                                 .longest = kLongest},
                                random);
  const std::string layer = choice.layer.empty() ? "decoder.layer.1.attention" : choice.layer;
  check_layer(model, layer);
  const auto batch_loss = [&](int64_t step) {
    Example batch;
    for (size_t i = 0; i < kBatchSentences; ++i) {
      const std::string& sentence = sentences[(static_cast<size_t>(step) * kBatchSentences + i) % sentences.size()];
      std::vector<int32_t> ids = characters.encode(sentence);
      ids.push_back(kMark);
      batch.add(ids);
    }
    return loss_of(model, batch);
  };
  Preset preset{.title = "Generation, character by character",
                .about = fmt::format("\"{}\" in a small language model trained for {} steps on the English sentences "
                                     "that ship; each row predicts the next character, and sees none after its own.",
                                     text, kTrainingSteps),
                .kind = "characters",
                .queries = labels(text),
                .keys = labels(text),
                .layer = layer,
                .query = std::ssize(text) - 1,
                .norms = train(model, kTrainingSteps, 1e-2, 1, batch_loss)};
  nn::to(model, f64);
  fill(preset, capture(
                   model, [&] { return loss_of(model, shown); }, preset.layer));
  return preset;
}

}  // namespace mixtape::attention_lab

#include "data/toy_grammar/sentences.h"

#include <algorithm>
#include <unordered_set>

#include "data/toy_grammar/sampler.h"

namespace mixtape::data::toy {
namespace {

constexpr size_t kTrainPairs = 20000;
constexpr size_t kHeldOutPairs = 1000;

using Words = std::unordered_set<std::string>;

bool knows_all(const Words& known, const std::string& sentence) {
  const std::vector<std::string> words = words_of(sentence);
  return std::all_of(words.begin(), words.end(), [&](const std::string& word) { return known.contains(word); });
}

void add_words(Words& known, const std::string& sentence) {
  for (const std::string& word : words_of(sentence)) known.insert(word);
}

}  // namespace

Sentences toy_sentences(uint64_t seed) {
  Dice dice(seed);
  const ObjectSplit split(dice);
  Words seen, english_words, german_words;
  Sentences sentences;

  Sampler train(Part::kTrain, split, dice);
  while (sentences.train.size() < kTrainPairs) {
    Sentence sentence = train.sentence();
    const std::string english = to_english(sentence);
    if (!seen.insert(english).second) continue;
    add_words(english_words, english);
    add_words(german_words, to_german(sentence));
    sentences.train.push_back(std::move(sentence));
  }

  const auto draw_held_out = [&](Part part, std::vector<Sentence>& list) {
    Sampler sampler(part, split, dice);
    while (list.size() < kHeldOutPairs) {
      Sentence sentence = sampler.sentence();
      const std::string english = to_english(sentence);
      const bool known = knows_all(english_words, english) && knows_all(german_words, to_german(sentence));
      if (known && seen.insert(english).second) list.push_back(std::move(sentence));
    }
  };
  draw_held_out(Part::kValidation, sentences.validation);
  draw_held_out(Part::kTest, sentences.test);
  return sentences;
}

std::vector<std::string> words_of(const std::string& sentence) {
  constexpr const char* kSeparators = " .,?";
  std::vector<std::string> words;
  size_t begin = sentence.find_first_not_of(kSeparators);
  while (begin != std::string::npos) {
    const size_t end = std::min(sentence.find_first_of(kSeparators, begin), sentence.size());
    words.push_back(sentence.substr(begin, end - begin));
    begin = sentence.find_first_not_of(kSeparators, end);
  }
  return words;
}

}  // namespace mixtape::data::toy

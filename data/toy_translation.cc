#include "data/toy_translation.h"

#include "data/toy_grammar/sentences.h"

namespace mixtape::data {

ToyCorpus toy_translation(uint64_t seed) {
  const auto say = [](const std::vector<toy::Sentence>& sentences) {
    ParallelText text;
    for (const toy::Sentence& sentence : sentences) {
      text.pairs.push_back({toy::to_english(sentence), toy::to_german(sentence)});
    }
    return text;
  };
  const toy::Sentences sentences = toy::toy_sentences(seed);
  return {say(sentences.train), say(sentences.validation), say(sentences.test)};
}

}  // namespace mixtape::data

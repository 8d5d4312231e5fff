#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/toy_grammar/frames.h"

namespace mixtape::data::toy {

/// The corpus before it is put into words.
struct Sentences {
  std::vector<Sentence> train, validation, test;
};

/// The sentences that toy_translation(seed) says in both languages, in the same order.
Sentences toy_sentences(uint64_t seed);

/// The words of a sentence without its punctuation; `teacher's` and `o'clock` are words.
std::vector<std::string> words_of(const std::string& sentence);

}  // namespace mixtape::data::toy

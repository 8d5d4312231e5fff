#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/parallel_text.h"
#include "data/toy_grammar/frames.h"

namespace mixtape::data {

/// English-German sentences that are made, not read: a corpus which needs no download and asks for composition rather
/// than memory. A grammar (data/toy_grammar) draws a meaning and says it in both languages, so each English sentence
/// has exactly one translation.
///
/// Training and test differ on purpose. No test sentence has
/// - a verb-object pair that occurs in training: verb and noun as lemmas, in whatever clause. The noun is the verb's
///   accusative, dative or prepositional object (reads the book, helps the child, waits for the bus), not the one who
///   receives something (gives the child a book). Each test sentence has such a pair;
/// - a clause frame with tense that occurs in training: which clauses a sentence has and in which order, with the tense
///   of its main clause (toy::Frame);
/// yet each of its words, on both sides, does. Validation keeps the same distance from training with pairs and frames
/// that are in neither training nor test, so that tuning on it tells nothing about test.
struct ToyCorpus {
  ParallelText train;       ///< 20,000 distinct pairs
  ParallelText validation;  ///< 1,000
  ParallelText test;        ///< 1,000
};

/// The same corpus for the same seed, everywhere; takes a fraction of a second.
ToyCorpus toy_translation(uint64_t seed = 1);

namespace toy {

/// The corpus before it is put into words.
struct Sentences {
  std::vector<Sentence> train, validation, test;
};

/// The sentences that toy_translation(seed) says in both languages, in the same order.
Sentences toy_sentences(uint64_t seed);

/// The words of a sentence without its punctuation; `teacher's` and `o'clock` are words.
std::vector<std::string> words_of(const std::string& sentence);

}  // namespace toy
}  // namespace mixtape::data

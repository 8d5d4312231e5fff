#pragma once

#include <cstdint>

#include "data/parallel_text.h"

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
///   of its main clause;
/// yet each of its words, on both sides, does. Validation keeps the same distance from training with pairs and frames
/// that are in neither training nor test, so that tuning on it tells nothing about test.
struct ToyCorpus {
  ParallelText train;       ///< 20,000 distinct pairs
  ParallelText validation;  ///< 1,000
  ParallelText test;        ///< 1,000
};

/// The same corpus for the same seed, everywhere; takes a fraction of a second.
ToyCorpus toy_translation(uint64_t seed = 1);

}  // namespace mixtape::data

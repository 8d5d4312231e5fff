#pragma once

#include <optional>

#include "data/toy_grammar/clause_sampler.h"

namespace mixtape::data::toy {

/// Draws sentences of one part of the corpus: only its frames, only its verb-object pairs.
class Sampler {
 public:
  /// `split` and `dice` must outlive the sampler.
  Sampler(Part part, const ObjectSplit& split, Dice& dice) : part_(part), clauses_(part, split, dice), dice_(dice) {}

  /// A sentence of a random frame. Outside training it has a verb-object pair, so that there is something to test.
  Sentence sentence();

 private:
  /// Empty when the draw leads nowhere.
  std::optional<Sentence> try_sentence();
  Clause one_clause(const Frame& frame);
  Sentence subject_relative(const Frame& frame, Tense second);
  Sentence object_relative(const Frame& frame, Tense second);
  std::optional<Sentence> trailing_relative(const Frame& frame, Tense second);
  Sentence with_infinitive(const Frame& frame);
  Sentence two_clauses(const Frame& frame, Tense second);
  Clause subordinate_clause(Construction construction, Tense tense);

  Part part_;
  ClauseSampler clauses_;
  Dice& dice_;
};

}  // namespace mixtape::data::toy

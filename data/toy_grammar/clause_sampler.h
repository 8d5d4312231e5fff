#pragma once

#include <optional>
#include <vector>

#include "data/toy_grammar/frames.h"

namespace mixtape::data::toy {

/// What may be added to a clause, as a set of bits.
using Extras = uint32_t;
namespace extra {
inline constexpr Extras kTime = 1u << 0;
inline constexpr Extras kPlace = 1u << 1;
inline constexpr Extras kManner = 1u << 2;
inline constexpr Extras kCompany = 1u << 3;
inline constexpr Extras kCause = 1u << 4;
inline constexpr Extras kAll = kTime | kPlace | kManner | kCompany | kCause;
}  // namespace extra

/// What a clause must have and what it may have. What is not given is drawn.
struct ClauseNeeds {
  Tense tense = Tense::kPresent;
  std::vector<Valency> valencies = {};
  std::optional<NounPhrase> subject = std::nullopt;
  const Verb* verb = nullptr;
  const Noun* object = nullptr;
  bool eventful = false;  ///< no verb of state
  bool person = false;    ///< the subject is somebody, not an animal or a train
  bool negation = true;   ///< may be negated
  bool frequency = true;  ///< may have often, already ...
  Extras extras = extra::kAll;
  int64_t most_extras = 1;
};

/// Draws clauses of one part of the corpus: only its verb-object pairs.
class ClauseSampler {
 public:
  /// `split` and `dice` must outlive the sampler.
  ClauseSampler(Part part, const ObjectSplit& split, Dice& dice) : part_(part), split_(split), dice_(dice) {}

  Clause clause(const ClauseNeeds& needs);
  /// `it rains`
  Clause weather(Tense tense);
  /// `the man is tired`; a subject with a noun gets a quality that suits it.
  Clause quality(NounPhrase subject, Tense tense, bool may_be_negated);
  /// A verb, other than `not_this`, that has the noun as an object in this part; null if there is none.
  const Verb* verb_for(const Noun& object, const Verb& not_this);

 private:
  const Verb& random_verb(const ClauseNeeds& needs);
  void add_complements(Clause& clause, const Noun* object);
  void add_extras(Clause& clause, const ClauseNeeds& needs);
  void add_extra(Clause& clause, Extras which);
  Modal random_modal(const Clause& clause);

  Part part_;
  const ObjectSplit& split_;
  Dice& dice_;
};

}  // namespace mixtape::data::toy

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/toy_grammar/dice.h"
#include "data/toy_grammar/sentence.h"

namespace mixtape::data::toy {

/// What is kept apart between the parts of the corpus: clause frames with their tense, and verbs with their objects.
enum class Part { kTrain, kValidation, kTest };

/// A clause frame with its tense: which clauses a sentence has and in which order (its construction), and the tense of
/// its main clause, whatever the tense of the other clause.
struct Frame {
  Construction construction;
  Tense tense;
  auto operator<=>(const Frame&) const = default;
};

/// The frames of one part. A construction gives one of its tenses to test and one to validation, where it can, and
/// keeps at least two for training, where each tense also stands in most of the other constructions.
const std::vector<Frame>& frames(Part part);

/// The tenses that a second clause may have beside a main clause of this frame.
std::vector<Tense> second_tenses(const Frame& frame);

/// A verb and the noun that it governs, as lemmas: ("wait for", "bus").
using VerbObject = std::pair<std::string, std::string>;

/// The verb-object pairs of both clauses.
std::vector<VerbObject> verb_objects(const Sentence& sentence);

/// Which nouns can be the object of which verb in which part. Of a verb's objects an eighth, at least one, goes to
/// test and a twelfth to validation; the others are for training.
class ObjectSplit {
 public:
  explicit ObjectSplit(Dice& dice);
  /// Empty for a verb that takes no object, and in validation for one that takes few.
  const std::vector<const Noun*>& objects(Part part, const Verb& verb) const;

 private:
  struct Parts {
    std::vector<const Noun*> train, validation, test;
  };
  std::vector<Parts> by_verb_;  // in the order of the lexicon
};

}  // namespace mixtape::data::toy

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/toy_grammar/lexicon.h"

namespace mixtape::data::toy {

/// A sentence as meaning and structure, before it is said in either language. Pointers refer to the lexicon.

struct NounPhrase {
  enum class Type { kNoun, kName, kPronoun };
  Type type = Type::kNoun;
  const Noun* noun = nullptr;
  Number number = Number::kSingular;
  Determiner determiner = Determiner::kDefinite;
  Possessor possessor = Possessor::kMy;  ///< with Determiner::kPossessive
  int64_t count = 0;                     ///< with Determiner::kCount
  const Noun* owner = nullptr;           ///< with Determiner::kOwner
  const Adjective* adjective = nullptr;
  const Term* name = nullptr;  ///< with Type::kName: a person or a city
  Pronoun pronoun = Pronoun::kIt;
};

/// Where: English and German preposition, the case that it has here, and a place, which may be a city.
struct PlacePhrase {
  std::string english, german;
  Case german_case;
  NounPhrase place;
};

/// One verb with what belongs to it.
struct Clause {
  NounPhrase subject;
  const Verb* verb = nullptr;
  Tense tense = Tense::kPresent;
  Modal modal = Modal::kNone;
  bool negated = false;
  std::optional<NounPhrase> object, recipient;
  std::optional<PlacePhrase> direction, place;
  std::optional<NounPhrase> companion;  ///< with his sister
  std::optional<NounPhrase> cause;      ///< because of the rain
  std::optional<Term> time;
  const Term* manner = nullptr;
  const Term* frequency = nullptr;
  const Adjective* quality = nullptr;  ///< is `tired`
};

/// How clauses make a sentence. In a name, `First` means that the subordinate clause stands first.
enum class Construction {
  kStatement,
  kTimeFirst,   ///< On Monday the man reads ...
  kPlaceFirst,  ///< In the garden the man reads ...
  kCauseFirst,  ///< Because of the rain the man reads ...
  kYesNoQuestion,
  kWhenQuestion,
  kWhereQuestion,
  kWhyQuestion,
  kWhoQuestion,
  kWhichQuestion,  ///< Which book does the man read?
  kBecause,
  kBecauseFirst,
  kAlthough,
  kAlthoughFirst,
  kWhen,
  kWhenFirst,
  kIf,
  kIfFirst,
  kWhile,
  kWhileFirst,
  kBefore,
  kBeforeFirst,
  kAfter,
  kAfterFirst,
  kThat,              ///< The man says that ...
  kWhether,           ///< The man asks whether ...
  kInfinitive,        ///< The man tries to ...
  kPurpose,           ///< The man goes home in order to ...
  kSubjectRelative,   ///< The man who reads the book ...
  kObjectRelative,    ///< The man whom the woman knows ...
  kTrailingRelative,  ///< The man reads the book that ...
  kAnd,
  kBut,
};

bool is_question(Construction construction);
bool subordinate_stands_first(Construction construction);

struct Sentence {
  Construction construction = Construction::kStatement;
  Clause main;
  std::optional<Clause> second;  ///< subordinate, infinitive or coordinated
};

Agreement agreement_of(const NounPhrase& subject);

std::string to_english(const Sentence& sentence);
std::string to_german(const Sentence& sentence);

/// `words` without the empty ones, with single spaces between.
std::string join(const std::vector<std::string>& words);
/// `text` with its first letter, if it is one of a to z, in upper case and `end` behind it.
std::string as_sentence(std::string text, const std::string& end);

}  // namespace mixtape::data::toy

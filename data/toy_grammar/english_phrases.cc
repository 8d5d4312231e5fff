#include "data/toy_grammar/english_phrases.h"

#include "data/toy_grammar/numbers.h"

namespace mixtape::data::toy {
namespace {

std::string possessive(Possessor possessor) {
  switch (possessor) {
    case Possessor::kMy:
      return "my";
    case Possessor::kHis:
      return "his";
    case Possessor::kHer:
      return "her";
    case Possessor::kOur:
      return "our";
    default:
      return "their";
  }
}

std::string pronoun_form(Pronoun pronoun) {
  switch (pronoun) {
    case Pronoun::kI:
      return "I";
    case Pronoun::kHe:
      return "he";
    case Pronoun::kShe:
      return "she";
    case Pronoun::kWe:
      return "we";
    case Pronoun::kThey:
      return "they";
    case Pronoun::kWho:
      return "who";
    default:
      return "it";
  }
}

/// No word of the lexicon has a silent h or begins with the sound of `university`.
std::string indefinite_article(const std::string& next) {
  return std::string_view("aeiou").find(next[0]) == std::string_view::npos ? "a" : "an";
}

std::string determiner_form(const NounPhrase& phrase, const std::string& next) {
  switch (phrase.determiner) {
    case Determiner::kDefinite:
      return "the";
    case Determiner::kIndefinite:
      return indefinite_article(next);
    case Determiner::kPossessive:
      return possessive(phrase.possessor);
    case Determiner::kDemonstrative:
      return phrase.number == Number::kPlural ? "these" : "this";
    case Determiner::kOwner:
      return "the " + phrase.owner->english + "'s";
    case Determiner::kEvery:
      return "every";
    case Determiner::kWhich:
      return "which";
    case Determiner::kMany:
      return "many";
    case Determiner::kCount:
      return english_number(phrase.count);
    default:
      return "";
  }
}

}  // namespace

std::string english_noun_phrase(const NounPhrase& phrase) {
  if (phrase.type == NounPhrase::Type::kName) return phrase.name->english;
  if (phrase.type == NounPhrase::Type::kPronoun) return pronoun_form(phrase.pronoun);
  const std::string& noun = phrase.number == Number::kPlural ? phrase.noun->english_plural : phrase.noun->english;
  const std::string rest = join({phrase.adjective ? phrase.adjective->english : "", noun});
  return join({determiner_form(phrase, rest), rest});
}

std::string english_recipient(const NounPhrase& phrase) {
  if (phrase.type != NounPhrase::Type::kPronoun) return english_noun_phrase(phrase);
  switch (phrase.pronoun) {
    case Pronoun::kI:
      return "me";
    case Pronoun::kHe:
      return "him";
    case Pronoun::kShe:
      return "her";
    case Pronoun::kWe:
      return "us";
    default:
      return "them";
  }
}

}  // namespace mixtape::data::toy

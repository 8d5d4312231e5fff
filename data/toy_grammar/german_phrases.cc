#include "data/toy_grammar/german_phrases.h"

#include "data/toy_grammar/german_forms.h"
#include "data/toy_grammar/numbers.h"

namespace mixtape::data::toy {
namespace {

std::string possessive_stem(Possessor possessor) {
  switch (possessor) {
    case Possessor::kMy:
      return "mein";
    case Possessor::kHis:
      return "sein";
    case Possessor::kOur:
      return "unser";
    default:
      return "ihr";  // her and their
  }
}

std::string pronoun_form(Pronoun pronoun, Case grammatical_case) {
  const bool dative = grammatical_case == Case::kDative;
  switch (pronoun) {
    case Pronoun::kI:
      return dative ? "mir" : "ich";
    case Pronoun::kHe:
      return dative ? "ihm" : "er";
    case Pronoun::kShe:
      return dative ? "ihr" : "sie";
    case Pronoun::kWe:
      return dative ? "uns" : "wir";
    case Pronoun::kThey:
      return dative ? "ihnen" : "sie";
    case Pronoun::kWho:
      return dative ? "wem" : "wer";
    default:
      return "es";
  }
}

/// The word before adjective and noun: an article in the widest sense. Empty where German has none.
std::string determiner_form(const NounPhrase& phrase, Case grammatical_case, Slot slot) {
  const std::string like_der = der_ending(grammatical_case, slot);
  const std::string like_ein = ein_ending(grammatical_case, slot);
  switch (phrase.determiner) {
    case Determiner::kDefinite:
    case Determiner::kOwner:
      return definite_article(grammatical_case, slot);
    case Determiner::kIndefinite:
      return "ein" + like_ein;
    case Determiner::kNegative:
      return "kein" + like_ein;
    case Determiner::kPossessive:
      return possessive_stem(phrase.possessor) + like_ein;
    case Determiner::kDemonstrative:
      return "dies" + like_der;
    case Determiner::kEvery:
      return "jed" + like_der;
    case Determiner::kWhich:
      return "welch" + like_der;
    case Determiner::kMany:
      return "viel" + like_der;
    case Determiner::kCount:
      return german_number(phrase.count);
    default:
      return "";
  }
}

std::string contract(const std::string& preposition, const std::string& article) {
  const std::string both = preposition + " " + article;
  if (both == "in dem") return "im";
  if (both == "in das") return "ins";
  if (both == "an dem") return "am";
  if (both == "zu dem") return "zum";
  if (both == "zu der") return "zur";
  if (both == "von dem") return "vom";
  return both;
}

}  // namespace

std::string german_noun_phrase(const NounPhrase& phrase, Case grammatical_case) {
  if (phrase.type == NounPhrase::Type::kName) return phrase.name->german;
  if (phrase.type == NounPhrase::Type::kPronoun) return pronoun_form(phrase.pronoun, grammatical_case);
  const Slot slot = slot_of(phrase.noun->gender, phrase.number);
  std::string adjective;
  if (phrase.adjective) {
    adjective = phrase.adjective->stem + adjective_ending(declension_after(phrase.determiner), grammatical_case, slot);
  }
  std::string owner;
  if (phrase.determiner == Determiner::kOwner) owner = german_noun_phrase({.noun = phrase.owner}, Case::kGenitive);
  return join({determiner_form(phrase, grammatical_case, slot), adjective,
               noun_form(*phrase.noun, grammatical_case, phrase.number), owner});
}

std::string german_prepositional_phrase(const std::string& preposition, const NounPhrase& phrase,
                                        Case grammatical_case) {
  const std::string text = german_noun_phrase(phrase, grammatical_case);
  const bool has_article = phrase.type == NounPhrase::Type::kNoun &&
                           (phrase.determiner == Determiner::kDefinite || phrase.determiner == Determiner::kOwner);
  if (!has_article) return preposition + " " + text;
  const size_t space = text.find(' ');
  return contract(preposition, text.substr(0, space)) + text.substr(space);
}

std::string german_object(const Verb& verb, const NounPhrase& object) {
  if (verb.preposition.empty()) return german_noun_phrase(object, verb.object_case);
  return german_prepositional_phrase(verb.preposition, object, verb.object_case);
}

}  // namespace mixtape::data::toy

#include "data/toy_grammar/english_forms.h"
#include "data/toy_grammar/english_phrases.h"
#include "data/toy_grammar/sentence.h"

namespace mixtape::data::toy {
namespace {

std::string english_place_phrase(const PlacePhrase& phrase) {
  return phrase.english + " " + english_noun_phrase(phrase.place);
}

std::string english_cause_phrase(const NounPhrase& cause) { return "because of " + english_noun_phrase(cause); }

/// What follows the verb: particle, recipient, object, direction, quality, manner, company, place, time, cause.
std::string complements(const Clause& clause) {
  return join({clause.verb->particle, clause.recipient ? english_recipient(*clause.recipient) : "",
               clause.object ? english_noun_phrase(*clause.object) : "",
               clause.direction ? english_place_phrase(*clause.direction) : "",
               clause.quality ? clause.quality->english : "", clause.manner ? clause.manner->english : "",
               clause.companion ? "with " + english_noun_phrase(*clause.companion) : "",
               clause.place ? english_place_phrase(*clause.place) : "", clause.time ? clause.time->english : "",
               clause.cause ? english_cause_phrase(*clause.cause) : ""});
}

/// `can` and `not` are one word.
std::string negated(const std::string& auxiliary) { return auxiliary == "can" ? "cannot" : auxiliary + " not"; }

std::string frequency(const Clause& clause) { return clause.frequency ? clause.frequency->english : ""; }

/// Subject, verb, complements. `subject` may be a relative pronoun, or empty behind one.
std::string order_clause(const std::string& subject, const Clause& clause) {
  const EnglishVerb verb =
      english_verb(*clause.verb, clause.tense, clause.modal, agreement_of(clause.subject), clause.negated);
  return join({subject, clause.negated ? negated(verb.auxiliary) : verb.auxiliary, frequency(clause), verb.rest,
               complements(clause)});
}

std::string order_clause(const Clause& clause) { return order_clause(english_noun_phrase(clause.subject), clause); }

/// Auxiliary before the subject: `does he read the book`.
std::string order_question(const std::string& opening, const Clause& clause) {
  const EnglishVerb verb = english_verb(*clause.verb, clause.tense, clause.modal, agreement_of(clause.subject), true);
  return join({opening, verb.auxiliary, english_noun_phrase(clause.subject), frequency(clause), verb.rest,
               complements(clause)});
}

/// `front` taken out of the clause and put before it.
template <typename Part>
std::string english_with_fronted(Clause clause, const std::string& front, std::optional<Part> Clause::*part) {
  (clause.*part).reset();
  return join({front, order_clause(clause)});
}

std::string which_question(Clause clause) {
  const std::string object = english_noun_phrase(*clause.object);
  clause.object.reset();
  return order_question(object, clause);
}

std::string order_infinitive(const std::string& opening, const Clause& clause) {
  return join({opening, "to", clause.verb->english.base, complements(clause)});
}

bool is_person(const NounPhrase& phrase) { return (phrase.noun->kinds & kind::kPerson) != 0; }

/// `who reads the book`
std::string english_subject_relative(const Clause& clause) {
  return order_clause(is_person(clause.subject) ? "who" : "that", clause);
}

/// `that the man reads`, `whom the man waits for`
std::string english_object_relative(Clause clause) {
  const std::string pronoun = is_person(*clause.object) ? "whom" : "that";
  clause.object.reset();
  return pronoun + " " + order_clause(clause);
}

std::string english_with_relative_subject(const Clause& main, const std::string& relative) {
  return order_clause(english_noun_phrase(main.subject) + " " + relative, main);
}

std::string english_conjunction(Construction construction) {
  switch (construction) {
    case Construction::kBecause:
    case Construction::kBecauseFirst:
      return "because";
    case Construction::kAlthough:
    case Construction::kAlthoughFirst:
      return "although";
    case Construction::kWhen:
    case Construction::kWhenFirst:
      return "when";
    case Construction::kIf:
    case Construction::kIfFirst:
      return "if";
    case Construction::kWhile:
    case Construction::kWhileFirst:
      return "while";
    case Construction::kBefore:
    case Construction::kBeforeFirst:
      return "before";
    case Construction::kAfter:
    case Construction::kAfterFirst:
      return "after";
    case Construction::kThat:
      return "that";
    default:
      return "whether";
  }
}

std::string english_one_clause(Construction construction, const Clause& clause) {
  switch (construction) {
    case Construction::kTimeFirst:
      return english_with_fronted(clause, clause.time->english, &Clause::time);
    case Construction::kPlaceFirst:
      return english_with_fronted(clause, english_place_phrase(*clause.place), &Clause::place);
    case Construction::kCauseFirst:
      return english_with_fronted(clause, english_cause_phrase(*clause.cause), &Clause::cause);
    case Construction::kYesNoQuestion:
      return order_question("", clause);
    case Construction::kWhenQuestion:
      return order_question("when", clause);
    case Construction::kWhereQuestion:
      return order_question("where", clause);
    case Construction::kWhyQuestion:
      return order_question("why", clause);
    case Construction::kWhichQuestion:
      return which_question(clause);
    default:
      return order_clause(clause);
  }
}

std::string english_two_clauses(const Sentence& sentence) {
  const Clause& main = sentence.main;
  const Clause& second = *sentence.second;
  switch (sentence.construction) {
    case Construction::kInfinitive:
      return order_clause(main) + " " + order_infinitive("", second);
    case Construction::kPurpose:
      return order_clause(main) + " " + order_infinitive("in order", second);
    case Construction::kSubjectRelative:
      return english_with_relative_subject(main, english_subject_relative(second));
    case Construction::kObjectRelative:
      return english_with_relative_subject(main, english_object_relative(second));
    case Construction::kTrailingRelative:
      return order_clause(main) + " " + english_object_relative(second);
    case Construction::kAnd:
      return order_clause(main) + " and " + order_clause(second);
    case Construction::kBut:
      return order_clause(main) + ", but " + order_clause(second);
    default:
      break;
  }
  const std::string subordinate = english_conjunction(sentence.construction) + " " + order_clause(second);
  if (subordinate_stands_first(sentence.construction)) return subordinate + ", " + order_clause(main);
  return order_clause(main) + " " + subordinate;
}

}  // namespace

std::string to_english(const Sentence& sentence) {
  const std::string text =
      sentence.second ? english_two_clauses(sentence) : english_one_clause(sentence.construction, sentence.main);
  return as_sentence(text, is_question(sentence.construction) ? "?" : ".");
}

}  // namespace mixtape::data::toy

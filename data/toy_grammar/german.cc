#include "data/toy_grammar/german_forms.h"
#include "data/toy_grammar/german_phrases.h"
#include "data/toy_grammar/sentence.h"

namespace mixtape::data::toy {
namespace {

/// A clause cut into the fields of German syntax, ready to be put in order.
struct Fields {
  std::string subject;
  GermanVerb verb;
  std::string middle;
};

// Main clauses have the finite verb in the second place, questions in the first, subordinate clauses in the last.

std::string order_main_clause(const Fields& clause) {
  return join({clause.subject, clause.verb.finite, clause.middle, clause.verb.bracket});
}

/// `front`: whatever takes the first place instead of the subject; nothing in a question.
std::string order_inverted_clause(const std::string& front, const Fields& clause) {
  return join({front, clause.verb.finite, clause.subject, clause.middle, clause.verb.bracket});
}

std::string order_subordinate_clause(const std::string& opening, const Fields& clause) {
  const std::string verb = clause.verb.bracket_is_prefix ? clause.verb.bracket + clause.verb.finite
                                                         : clause.verb.bracket + " " + clause.verb.finite;
  return join({opening, clause.subject, clause.middle, verb});
}

bool stands_late(const NounPhrase& phrase) {
  if (phrase.type != NounPhrase::Type::kNoun) return false;
  switch (phrase.determiner) {
    case Determiner::kIndefinite:
    case Determiner::kBare:
    case Determiner::kMany:
    case Determiner::kCount:
    case Determiner::kNegative:
      return true;
    default:
      return false;
  }
}

std::string german_place_phrase(const PlacePhrase& phrase) {
  return german_prepositional_phrase(phrase.german, phrase.place, phrase.german_case);
}

std::string german_cause_phrase(const NounPhrase& cause) {
  return "wegen " + german_noun_phrase(cause, Case::kGenitive);
}

/// A negated indefinite object becomes `kein`; every other negation is `nicht`.
bool negates_with_kein(const Clause& clause) {
  return clause.negated && clause.object && clause.verb->preposition.empty() &&
         (clause.object->determiner == Determiner::kIndefinite || clause.object->determiner == Determiner::kBare);
}

/// What stands between finite verb and bracket, in this order: recipient, definite object, time, cause, nicht, company,
/// manner, place, indefinite object, prepositional object, direction or quality.
std::string middle_field(const Clause& clause) {
  std::string definite_object, indefinite_object, prepositional_object;
  if (clause.object) {
    NounPhrase object = *clause.object;
    if (negates_with_kein(clause)) object.determiner = Determiner::kNegative;
    std::string& slot = !clause.verb->preposition.empty() ? prepositional_object
                        : stands_late(object)             ? indefinite_object
                                                          : definite_object;
    slot = german_object(*clause.verb, object);
  }
  return join({clause.recipient ? german_noun_phrase(*clause.recipient, Case::kDative) : "", definite_object,
               clause.frequency ? clause.frequency->german : "", clause.time ? clause.time->german : "",
               clause.cause ? german_cause_phrase(*clause.cause) : "",
               clause.negated && !negates_with_kein(clause) ? "nicht" : "",
               clause.companion ? german_prepositional_phrase("mit", *clause.companion, Case::kDative) : "",
               clause.manner ? clause.manner->german : "", clause.place ? german_place_phrase(*clause.place) : "",
               indefinite_object, prepositional_object, clause.direction ? german_place_phrase(*clause.direction) : "",
               clause.quality ? clause.quality->german : ""});
}

Fields cut_into_fields(const Clause& clause) {
  return {german_noun_phrase(clause.subject, Case::kNominative),
          german_verb(*clause.verb, clause.tense, clause.modal, agreement_of(clause.subject)), middle_field(clause)};
}

/// `front` taken out of the clause: `Im Garten liest der Mann das Buch`.
template <typename Part>
std::string german_with_fronted(Clause clause, const std::string& front, std::optional<Part> Clause::*part) {
  (clause.*part).reset();
  return order_inverted_clause(front, cut_into_fields(clause));
}

std::string order_infinitive_clause(const std::string& opening, const Clause& clause) {
  return join({opening, middle_field(clause), infinitive_with_zu(*clause.verb)});
}

std::string pronoun_for(const NounPhrase& head, Case grammatical_case) {
  return relative_pronoun(grammatical_case, slot_of(head.noun->gender, head.number));
}

/// `der das Buch liest`
std::string german_subject_relative(const Clause& clause) {
  Fields fields = cut_into_fields(clause);
  fields.subject = pronoun_for(clause.subject, Case::kNominative);
  return order_subordinate_clause("", fields);
}

/// `den der Mann liest`, `auf den der Mann wartet`
std::string german_object_relative(Clause clause) {
  const std::string pronoun = pronoun_for(*clause.object, clause.verb->object_case);
  clause.object.reset();
  return order_subordinate_clause(join({clause.verb->preposition, pronoun}), cut_into_fields(clause));
}

/// The main clause with a relative clause behind its subject.
std::string german_with_relative_subject(const Clause& main, const std::string& relative) {
  Fields fields = cut_into_fields(main);
  fields.subject += ", " + relative + ",";
  return order_main_clause(fields);
}

/// English `when` is `als` in the past and `wenn` otherwise.
std::string german_conjunction(const Sentence& sentence) {
  switch (sentence.construction) {
    case Construction::kBecause:
    case Construction::kBecauseFirst:
      return "weil";
    case Construction::kAlthough:
    case Construction::kAlthoughFirst:
      return "obwohl";
    case Construction::kWhen:
    case Construction::kWhenFirst:
      return sentence.second->tense == Tense::kPast ? "als" : "wenn";
    case Construction::kIf:
    case Construction::kIfFirst:
      return "falls";
    case Construction::kWhile:
    case Construction::kWhileFirst:
      return "während";
    case Construction::kBefore:
    case Construction::kBeforeFirst:
      return "bevor";
    case Construction::kAfter:
    case Construction::kAfterFirst:
      return "nachdem";
    case Construction::kThat:
      return "dass";
    default:
      return "ob";
  }
}

std::string german_one_clause(Construction construction, const Clause& clause) {
  switch (construction) {
    case Construction::kTimeFirst:
      return german_with_fronted(clause, clause.time->german, &Clause::time);
    case Construction::kPlaceFirst:
      return german_with_fronted(clause, german_place_phrase(*clause.place), &Clause::place);
    case Construction::kCauseFirst:
      return german_with_fronted(clause, german_cause_phrase(*clause.cause), &Clause::cause);
    case Construction::kYesNoQuestion:
      return order_inverted_clause("", cut_into_fields(clause));
    case Construction::kWhenQuestion:
      return order_inverted_clause("wann", cut_into_fields(clause));
    case Construction::kWhereQuestion:
      return order_inverted_clause("wo", cut_into_fields(clause));
    case Construction::kWhyQuestion:
      return order_inverted_clause("warum", cut_into_fields(clause));
    case Construction::kWhichQuestion:
      return german_with_fronted(clause, german_object(*clause.verb, *clause.object), &Clause::object);
    default:
      return order_main_clause(cut_into_fields(clause));
  }
}

std::string german_two_clauses(const Sentence& sentence) {
  const Clause& main = sentence.main;
  const Clause& second = *sentence.second;
  switch (sentence.construction) {
    case Construction::kInfinitive:
      return order_main_clause(cut_into_fields(main)) + ", " + order_infinitive_clause("", second);
    case Construction::kPurpose:
      return order_main_clause(cut_into_fields(main)) + ", " + order_infinitive_clause("um", second);
    case Construction::kSubjectRelative:
      return german_with_relative_subject(main, german_subject_relative(second));
    case Construction::kObjectRelative:
      return german_with_relative_subject(main, german_object_relative(second));
    case Construction::kTrailingRelative:
      return order_main_clause(cut_into_fields(main)) + ", " + german_object_relative(second);
    case Construction::kAnd:
      return order_main_clause(cut_into_fields(main)) + " und " + order_main_clause(cut_into_fields(second));
    case Construction::kBut:
      return order_main_clause(cut_into_fields(main)) + ", aber " + order_main_clause(cut_into_fields(second));
    default:
      break;
  }
  const std::string subordinate = order_subordinate_clause(german_conjunction(sentence), cut_into_fields(second));
  if (subordinate_stands_first(sentence.construction)) {
    return order_inverted_clause(subordinate + ",", cut_into_fields(main));
  }
  return order_main_clause(cut_into_fields(main)) + ", " + subordinate;
}

}  // namespace

std::string to_german(const Sentence& sentence) {
  const std::string text =
      sentence.second ? german_two_clauses(sentence) : german_one_clause(sentence.construction, sentence.main);
  return as_sentence(text, is_question(sentence.construction) ? "?" : ".");
}

}  // namespace mixtape::data::toy

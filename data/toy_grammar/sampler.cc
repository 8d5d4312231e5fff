#include "data/toy_grammar/sampler.h"

#include "data/toy_grammar/phrase_sampler.h"
#include "data/toy_grammar/times.h"

namespace mixtape::data::toy {
namespace {

// Valencies as often as they are drawn.
const std::vector<Valency> kObjectVerb = {Valency::kObject, Valency::kObject, Valency::kObject,    Valency::kObject,
                                          Valency::kObject, Valency::kObject, Valency::kRecipient, Valency::kPlacing};
const std::vector<Valency> kAnyVerb = {Valency::kObject, Valency::kObject,    Valency::kObject,  Valency::kObject,
                                       Valency::kObject, Valency::kObject,    Valency::kObject,  Valency::kObject,
                                       Valency::kObject, Valency::kRecipient, Valency::kPlacing, Valency::kMotion,
                                       Valency::kTravel, Valency::kAlone,     Valency::kPosture, Valency::kStaying};
const std::vector<Valency> kUnplacedVerb = {Valency::kObject, Valency::kObject,    Valency::kObject,
                                            Valency::kObject, Valency::kRecipient, Valency::kAlone};
const std::vector<Valency> kOutgoingVerb = {Valency::kMotion, Valency::kMotion, Valency::kTravel};

// One reason is enough where a clause may be one.
constexpr Extras kSecondExtras = extra::kAll & ~extra::kCause;

/// `they put` is present and past at once; `he put` and `they have put` are not.
bool is_ambiguous(const Clause& clause) {
  return clause.tense == Tense::kPast && clause.verb->english.base == clause.verb->english.past &&
         agreement_of(clause.subject) != Agreement::kThirdSingular;
}

/// `the man sees the man`
bool repeats_noun(const Clause& clause) {
  return clause.object && clause.subject.noun && clause.subject.noun == clause.object->noun;
}

bool is_fine(const Clause& clause) { return !is_ambiguous(clause) && !repeats_noun(clause); }

/// Clauses that place another one in time: nothing happens `not`, `often` or on a day of its own in them.
bool tells_time(Construction construction) {
  return construction >= Construction::kWhen && construction <= Construction::kAfterFirst &&
         construction != Construction::kIf && construction != Construction::kIfFirst;
}

/// What a sentence of one clause asks of it; what it fronts or asks for must not stand in the clause as well.
ClauseNeeds needs_of(const Frame& frame) {
  ClauseNeeds needs{.tense = frame.tense, .valencies = kAnyVerb, .most_extras = 2};
  needs.negation = !is_question(frame.construction);
  switch (frame.construction) {
    case Construction::kTimeFirst:
    case Construction::kWhenQuestion:
      needs.extras &= ~extra::kTime;
      needs.frequency = false;
      needs.eventful = true;
      break;
    case Construction::kPlaceFirst:
    case Construction::kWhereQuestion:
      needs.extras &= ~extra::kPlace;
      needs.valencies = kUnplacedVerb;
      needs.eventful = true;
      break;
    case Construction::kCauseFirst:
    case Construction::kWhyQuestion:
      needs.extras &= ~extra::kCause;
      break;
    case Construction::kWhoQuestion:
      needs.subject = {.type = NounPhrase::Type::kPronoun, .pronoun = Pronoun::kWho};
      break;
    case Construction::kWhichQuestion:
      needs.valencies = kObjectVerb;
      break;
    default:
      break;
  }
  return needs;
}

}  // namespace

Sentence Sampler::sentence() {
  while (true) {
    const std::optional<Sentence> sentence = try_sentence();
    if (!sentence || !is_fine(sentence->main)) continue;
    if (sentence->second && !is_fine(*sentence->second)) continue;
    if (part_ == Part::kTrain || !verb_objects(*sentence).empty()) return *sentence;
  }
}

std::optional<Sentence> Sampler::try_sentence() {
  const Frame frame = dice_.pick(frames(part_));
  if (frame.construction < Construction::kBecause) return Sentence{frame.construction, one_clause(frame), std::nullopt};
  if (dice_.chance(60)) return std::nullopt;  // long sentences are rarer
  const Tense second = dice_.pick(second_tenses(frame));
  switch (frame.construction) {
    case Construction::kSubjectRelative:
      return subject_relative(frame, second);
    case Construction::kObjectRelative:
      return object_relative(frame, second);
    case Construction::kTrailingRelative:
      return trailing_relative(frame, second);
    case Construction::kInfinitive:
    case Construction::kPurpose:
      return with_infinitive(frame);
    default:
      return two_clauses(frame, second);
  }
}

Clause Sampler::one_clause(const Frame& frame) {
  Clause clause = clauses_.clause(needs_of(frame));
  switch (frame.construction) {
    case Construction::kTimeFirst:
      clause.time = time_expression(frame.tense, dice_);
      break;
    case Construction::kPlaceFirst:
      clause.place = random_place(kind::kPlace, dice_);
      break;
    case Construction::kCauseFirst:
      clause.cause = random_cause(dice_);
      break;
    case Construction::kWhichQuestion:
      clause.object = random_which(*clause.object->noun, dice_);
      break;
    default:
      break;
  }
  return clause;
}

/// The man who reads the book helps the woman.
Sentence Sampler::subject_relative(const Frame& frame, Tense second) {
  const NounPhrase head = random_head(random_noun(kind::kPerson, dice_), dice_);
  return {frame.construction, clauses_.clause({.tense = frame.tense, .valencies = kAnyVerb, .subject = head}),
          clauses_.clause({.tense = second, .valencies = kAnyVerb, .subject = head})};
}

/// The man whom the woman knows reads the book. The book that the woman has read is expensive.
Sentence Sampler::object_relative(const Frame& frame, Tense second) {
  Clause relative = clauses_.clause({.tense = second, .valencies = {Valency::kObject}, .negation = false});
  const NounPhrase head = random_head(*relative.object->noun, dice_);
  relative.object = head;
  if (head.noun->kinds & kind::kPerson) {
    return {frame.construction, clauses_.clause({.tense = frame.tense, .valencies = kAnyVerb, .subject = head}),
            relative};
  }
  return {frame.construction, clauses_.quality(head, frame.tense, true), relative};
}

/// The man reads the book that the woman has bought.
std::optional<Sentence> Sampler::trailing_relative(const Frame& frame, Tense second) {
  Clause main =
      clauses_.clause({.tense = frame.tense, .valencies = {Valency::kObject}, .negation = false, .most_extras = 0});
  const Noun& shared = *main.object->noun;
  main.object = random_head(shared, dice_);
  const Verb* verb = clauses_.verb_for(shared, *main.verb);
  if (!verb) return std::nullopt;
  Clause relative = clauses_.clause({.tense = second, .verb = verb, .object = &shared, .negation = false});
  relative.object = main.object;
  return Sentence{frame.construction, main, relative};
}

/// The man tries to open the door. The man goes to the station in order to help his sister.
Sentence Sampler::with_infinitive(const Frame& frame) {
  const bool purpose = frame.construction == Construction::kPurpose;
  const std::vector<Valency> planning = {Valency::kPlanning};
  const Clause main = clauses_.clause({.tense = frame.tense,
                                       .valencies = purpose ? kOutgoingVerb : planning,
                                       .person = true,
                                       .negation = !purpose,
                                       .most_extras = 0});
  const Clause infinitive = clauses_.clause({.valencies = purpose ? kObjectVerb : kAnyVerb,
                                             .subject = main.subject,
                                             .eventful = true,
                                             .negation = false,
                                             .frequency = false,
                                             .extras = extra::kPlace | extra::kManner | extra::kCompany});
  return {frame.construction, main, infinitive};
}

Sentence Sampler::two_clauses(const Frame& frame, Tense second) {
  ClauseNeeds needs{.tense = frame.tense, .valencies = kAnyVerb, .extras = kSecondExtras};
  if (frame.construction == Construction::kThat) needs.valencies = {Valency::kSaying};
  if (frame.construction == Construction::kWhether) needs.valencies = {Valency::kAsking};
  if (needs.valencies != kAnyVerb) needs.most_extras = 0;
  return {frame.construction, clauses_.clause(needs), subordinate_clause(frame.construction, second)};
}

Clause Sampler::subordinate_clause(Construction construction, Tense tense) {
  const int64_t draw = dice_.below(100);
  if (draw < 8) return clauses_.weather(tense);
  if (draw < 20)
    return clauses_.quality(random_subject(kind::kPerson | kind::kAnimal, dice_), tense, !tells_time(construction));
  ClauseNeeds needs{.tense = tense, .valencies = kAnyVerb, .extras = kSecondExtras};
  if (tells_time(construction)) {
    needs.negation = needs.frequency = false;
    needs.extras &= ~extra::kTime;
  }
  return clauses_.clause(needs);
}

}  // namespace mixtape::data::toy

#include "data/toy_grammar/clause_sampler.h"

#include <algorithm>

#include "data/toy_grammar/phrase_sampler.h"
#include "data/toy_grammar/times.h"

namespace mixtape::data::toy {
namespace {

bool is_modal(Tense tense) { return tense == Tense::kModal || tense == Tense::kPastModal; }

bool is_perfect(Tense tense) { return tense == Tense::kPerfect || tense == Tense::kPluperfect; }

bool is_somebody(const NounPhrase& phrase) {
  if (phrase.type == NounPhrase::Type::kNoun) return (phrase.noun->kinds & kind::kPerson) != 0;
  return phrase.pronoun != Pronoun::kIt || phrase.type == NounPhrase::Type::kName;
}

/// `every man does not` and `not many books` have a scope that word order alone does not show.
bool is_quantity(const NounPhrase& phrase) {
  if (phrase.type != NounPhrase::Type::kNoun) return false;
  return phrase.determiner == Determiner::kEvery || phrase.determiner == Determiner::kMany ||
         phrase.determiner == Determiner::kCount;
}

bool is_indefinite(const NounPhrase& phrase) {
  if (phrase.type != NounPhrase::Type::kNoun) return false;
  return phrase.determiner == Determiner::kIndefinite || phrase.determiner == Determiner::kBare;
}

/// `must not` is left out: it means `darf nicht`.
bool can_be_negated(const Clause& clause) {
  const bool clear_modal = clause.modal != Modal::kMust && clause.modal != Modal::kShould;
  const bool clear_object = !clause.object || !is_quantity(*clause.object);
  return clear_modal && clear_object && !is_quantity(clause.subject) && !is_indefinite(clause.subject);
}

/// A verb that already names the other person: helps, gives, waits for.
bool is_towards_somebody(const Verb& verb) {
  const bool plain_object = verb.object_case == Case::kAccusative && verb.preposition.empty();
  return verb.valency == Valency::kRecipient || !plain_object;
}

/// What suits the verb: somebody reads a book slowly, finds it somewhere, and owns it in no special way.
Extras suitable_extras(const Clause& clause) {
  const Verb& verb = *clause.verb;
  if (verb.aspect == Aspect::kState) return 0;
  Extras extras = clause.frequency ? 0 : extra::kTime;
  if (!clause.frequency && !clause.negated) extras |= extra::kCause;  // never because of the rain, or never at all?
  if (!clause.direction && !clause.place) extras |= extra::kPlace;
  if (verb.aspect == Aspect::kAction && !clause.frequency && is_somebody(clause.subject)) {
    if (!clause.negated) extras |= extra::kManner;
    if (!is_towards_somebody(verb)) extras |= extra::kCompany;
  }
  return extras;
}

}  // namespace

const Verb& ClauseSampler::random_verb(const ClauseNeeds& needs) {
  const Valency valency = dice_.pick(needs.valencies);
  while (true) {
    const Verb& verb = dice_.pick(verbs());
    const bool suits = verb.valency == valency && !(needs.eventful && verb.aspect == Aspect::kState);
    const bool has_objects = !verb.takes_object() || !split_.objects(part_, verb).empty();
    if (suits && has_objects) return verb;
  }
}

Clause ClauseSampler::clause(const ClauseNeeds& needs) {
  Clause clause;
  clause.verb = needs.verb ? needs.verb : &random_verb(needs);
  clause.subject =
      needs.subject ? *needs.subject : random_subject(needs.person ? kind::kPerson : clause.verb->subjects, dice_);
  clause.tense = needs.tense;
  if (is_modal(clause.tense)) clause.modal = random_modal(clause);
  add_complements(clause, needs.object);
  clause.negated = needs.negation && can_be_negated(clause) && dice_.chance(15);
  const bool may_be_frequent = needs.frequency && !clause.negated && clause.modal != Modal::kMust;  // `must never`
  if (may_be_frequent && dice_.chance(is_perfect(clause.tense) ? 25 : 15)) {
    clause.frequency = &dice_.pick(is_perfect(clause.tense) ? perfect_adverbs() : frequency_adverbs());
  }
  add_extras(clause, needs);
  return clause;
}

Clause ClauseSampler::weather(Tense tense) {
  Clause clause;
  clause.verb = &random_verb({.valencies = {Valency::kWeather}});
  clause.subject = {.type = NounPhrase::Type::kPronoun, .pronoun = Pronoun::kIt};
  clause.tense = tense;
  if (is_modal(tense)) clause.modal = Modal::kCan;
  if (dice_.chance(40)) clause.place = random_place(kind::kLandscape, dice_);
  return clause;
}

Clause ClauseSampler::quality(NounPhrase subject, Tense tense, bool may_be_negated) {
  Clause clause;
  clause.verb = &verb("be");
  subject.adjective = nullptr;
  const bool lives = subject.type != NounPhrase::Type::kNoun || (subject.noun->kinds & (kind::kPerson | kind::kAnimal));
  clause.quality = random_adjective(lives ? kind::kFeeling : subject.noun->kinds, dice_);
  clause.subject = subject;
  clause.tense = tense;
  if (is_modal(tense)) clause.modal = lives && dice_.chance(50) ? Modal::kMust : Modal::kCan;
  clause.negated = may_be_negated && can_be_negated(clause) && dice_.chance(25);
  return clause;
}

const Verb* ClauseSampler::verb_for(const Noun& object, const Verb& not_this) {
  std::vector<const Verb*> suitable;
  for (const Verb& verb : verbs()) {
    const std::vector<const Noun*>& objects = split_.objects(part_, verb);
    const bool has_object = std::find(objects.begin(), objects.end(), &object) != objects.end();
    if (has_object && &verb != &not_this && verb.valency == Valency::kObject) suitable.push_back(&verb);
  }
  return suitable.empty() ? nullptr : dice_.pick(suitable);
}

void ClauseSampler::add_complements(Clause& clause, const Noun* object) {
  const Verb& verb = *clause.verb;
  if (verb.takes_object()) {
    if (!object) object = dice_.pick(split_.objects(part_, verb));
    const bool receives = verb.valency == Valency::kRecipient;
    clause.object = receives ? random_marked_object(*object, dice_) : random_object(*object, dice_);
  }
  switch (verb.valency) {
    case Valency::kRecipient:
      clause.recipient = random_recipient(dice_);
      break;
    case Valency::kPlacing:
      clause.direction = random_target(verb, *clause.object->noun, dice_);
      break;
    case Valency::kMotion:
      clause.direction = random_goal(verb, dice_);
      break;
    case Valency::kTravel:
      clause.direction = random_city_goal(dice_);
      break;
    case Valency::kPosture:
      clause.place = random_place(kind::kPlace | kind::kFurniture, dice_);
      break;
    case Valency::kStaying:
      clause.place = random_home(dice_);
      break;
    default:
      break;
  }
}

void ClauseSampler::add_extras(Clause& clause, const ClauseNeeds& needs) {
  int64_t left = 0;
  while (left < needs.most_extras && dice_.chance(40)) ++left;
  Extras possible = suitable_extras(clause) & needs.extras;
  std::vector<Extras> order = {extra::kTime,   extra::kTime,    extra::kPlace, extra::kPlace,
                               extra::kManner, extra::kCompany, extra::kCause};
  dice_.shuffle(order);
  for (const Extras which : order) {
    if (left == 0 || !(possible & which)) continue;
    add_extra(clause, which);
    possible &= ~which;
    if (which == extra::kManner || which == extra::kCompany) possible &= ~(extra::kManner | extra::kCompany);
    --left;
  }
}

void ClauseSampler::add_extra(Clause& clause, Extras which) {
  switch (which) {
    case extra::kTime:
      clause.time = time_expression(clause.tense, dice_);
      break;
    case extra::kPlace:
      clause.place = random_place(kind::kPlace, dice_);
      break;
    case extra::kManner:
      clause.manner = &dice_.pick(manner_adverbs());
      break;
    case extra::kCompany:
      clause.companion = random_companion(dice_);
      break;
    default:
      clause.cause = random_cause(dice_);
      break;
  }
}

Modal ClauseSampler::random_modal(const Clause& clause) {
  const bool somebody = is_somebody(clause.subject);
  if (clause.verb->aspect == Aspect::kState) return somebody && dice_.chance(50) ? Modal::kWant : Modal::kCan;
  std::vector<Modal> choices = {Modal::kCan, Modal::kMust};
  if (somebody) choices.insert(choices.end(), {Modal::kWant, Modal::kMay});
  if (somebody && clause.tense == Tense::kModal) choices.push_back(Modal::kShould);
  return dice_.pick(choices);
}

}  // namespace mixtape::data::toy

#include "data/toy_grammar/phrase_sampler.h"

namespace mixtape::data::toy {
namespace {

/// A choice and how often it is made, relative to the others.
struct Weighted {
  Determiner determiner;
  int64_t weight;
};
using Weights = std::vector<Weighted>;

const Weights kSubjectWeights = {
    {Determiner::kDefinite, 45},   {Determiner::kPossessive, 18}, {Determiner::kDemonstrative, 10},
    {Determiner::kIndefinite, 10}, {Determiner::kEvery, 6},       {Determiner::kMany, 4},
    {Determiner::kCount, 5},
};
const Weights kDefiniteWeights = {
    {Determiner::kDefinite, 60}, {Determiner::kPossessive, 25}, {Determiner::kDemonstrative, 15}};
const Weights kObjectWeights = {
    {Determiner::kDefinite, 36}, {Determiner::kIndefinite, 24},   {Determiner::kPossessive, 14},
    {Determiner::kOwner, 8},     {Determiner::kDemonstrative, 8}, {Determiner::kCount, 6},
    {Determiner::kMany, 4},
};
const Weights kMarkedWeights = {{Determiner::kDefinite, 45},
                                {Determiner::kPossessive, 20},
                                {Determiner::kDemonstrative, 12},
                                {Determiner::kCount, 8}};
const Weights kHeadWeights = {{Determiner::kDefinite, 60},
                              {Determiner::kIndefinite, 15},
                              {Determiner::kPossessive, 15},
                              {Determiner::kDemonstrative, 10}};
const Weights kPlaceWeights = {
    {Determiner::kDefinite, 80}, {Determiner::kPossessive, 10}, {Determiner::kDemonstrative, 10}};

Determiner pick(const Weights& weights, Dice& dice) {
  int64_t total = 0;
  for (const Weighted& entry : weights) total += entry.weight;
  int64_t left = dice.below(total);
  for (const Weighted& entry : weights) {
    left -= entry.weight;
    if (left < 0) return entry.determiner;
  }
  return weights.back().determiner;
}

bool needs_plural(Determiner determiner) { return determiner == Determiner::kMany || determiner == Determiner::kCount; }

bool suits(Determiner determiner, const Noun& noun) {
  if (needs_plural(determiner)) return !(noun.kinds & kind::kMass);
  const bool owned = determiner == Determiner::kPossessive || determiner == Determiner::kOwner;
  return !(owned && (noun.kinds & kind::kUnowned));
}

/// `adjectives`: percent of phrases that have one; `plurals`: percent of those that are free to be plural.
NounPhrase random_phrase(const Noun& noun, const Weights& weights, int64_t plurals, int64_t adjectives, Dice& dice) {
  const bool mass = (noun.kinds & kind::kMass) != 0;
  NounPhrase phrase{.noun = &noun};
  do {
    phrase.determiner = pick(weights, dice);
  } while (!suits(phrase.determiner, noun));
  const bool plural = !mass && phrase.determiner != Determiner::kEvery && dice.chance(plurals);
  if (plural || needs_plural(phrase.determiner)) phrase.number = Number::kPlural;
  if (phrase.determiner == Determiner::kIndefinite && (mass || plural)) phrase.determiner = Determiner::kBare;
  phrase.possessor = static_cast<Possessor>(dice.below(5));
  phrase.count = dice.chance(50) ? dice.between(2, 12) : dice.between(13, 39);
  if (phrase.determiner == Determiner::kOwner) phrase.owner = &random_noun(kind::kPerson, dice);
  if (dice.chance(adjectives)) phrase.adjective = random_adjective(noun.kinds, dice);
  return phrase;
}

/// A place is named by its own preposition (in the garden, at the station), or by one of position.
struct Position {
  const char* english;
  const char* german;
};
const std::vector<Position> kBeside = {{"in front of", "vor"}, {"behind", "hinter"}, {"next to", "neben"}};
const std::vector<Position> kNextTo = {{"next to", "neben"}};
const std::vector<Position> kUnder = {{"under", "unter"}, {"behind", "hinter"}, {"next to", "neben"}};

PlacePhrase random_location(const Noun& noun, Case german_case, Dice& dice) {
  const NounPhrase phrase = random_phrase(noun, kPlaceWeights, 0, 10, dice);
  const bool furniture = (noun.kinds & kind::kFurniture) != 0;
  const bool can_be_beside = furniture || (noun.kinds & kind::kBuilding) != 0;
  if (noun.english_location.empty() || (can_be_beside && dice.chance(35))) {
    const bool under = furniture && german_case == Case::kAccusative;
    const Position& position = dice.pick(under ? kUnder : can_be_beside ? kBeside : kNextTo);
    return {position.english, position.german, german_case, phrase};
  }
  return {noun.english_location, noun.german_location, german_case, phrase};
}

PlacePhrase random_city(const char* english, const char* german, Dice& dice) {
  return {english, german, Case::kDative, {.type = NounPhrase::Type::kName, .name = &dice.pick(cities())}};
}

}  // namespace

const Noun& random_noun(Kinds kinds, Dice& dice) {
  while (true) {
    const Noun& noun = dice.pick(nouns());
    if (noun.kinds & kinds) return noun;
  }
}

const Adjective* random_adjective(Kinds kinds, Dice& dice) {
  constexpr int kTries = 200;
  for (int i = 0; i < kTries; ++i) {
    const Adjective& adjective = dice.pick(adjectives());
    if (adjective.kinds & kinds) return &adjective;
  }
  return nullptr;
}

NounPhrase random_subject(Kinds kinds, Dice& dice) {
  if ((kinds & kind::kPerson) && dice.chance(35)) {
    if (dice.chance(35)) return {.type = NounPhrase::Type::kName, .name = &dice.pick(first_names())};
    return {.type = NounPhrase::Type::kPronoun, .pronoun = static_cast<Pronoun>(dice.below(5))};
  }
  NounPhrase phrase = random_phrase(random_noun(kinds, dice), kSubjectWeights, 30, 15, dice);
  phrase.count = dice.between(2, 12);
  return phrase;
}

NounPhrase random_object(const Noun& noun, Dice& dice) { return random_phrase(noun, kObjectWeights, 35, 25, dice); }

NounPhrase random_marked_object(const Noun& noun, Dice& dice) {
  NounPhrase phrase = random_phrase(noun, kMarkedWeights, 25, 20, dice);
  const bool can_be_indefinite = phrase.number == Number::kSingular && !(noun.kinds & kind::kMass);
  if (can_be_indefinite && dice.chance(25)) phrase.determiner = Determiner::kIndefinite;
  return phrase;
}

NounPhrase random_head(const Noun& noun, Dice& dice) { return random_phrase(noun, kHeadWeights, 30, 12, dice); }

NounPhrase random_which(const Noun& noun, Dice& dice) {
  return random_phrase(noun, {{Determiner::kWhich, 1}}, 30, 25, dice);
}

NounPhrase random_recipient(Dice& dice) {
  if (dice.chance(30)) return {.type = NounPhrase::Type::kPronoun, .pronoun = static_cast<Pronoun>(dice.below(5))};
  return random_companion(dice);
}

NounPhrase random_companion(Dice& dice) {
  if (dice.chance(15)) return {.type = NounPhrase::Type::kName, .name = &dice.pick(first_names())};
  return random_phrase(random_noun(kind::kPerson, dice), kDefiniteWeights, 30, 10, dice);
}

NounPhrase random_cause(Dice& dice) {
  return random_phrase(random_noun(kind::kCause, dice), {{Determiner::kDefinite, 1}}, 0, 30, dice);
}

PlacePhrase random_place(Kinds kinds, Dice& dice) {
  if (kinds == kind::kPlace && dice.chance(12)) return random_city("in", "in", dice);
  while (true) {
    const Noun& noun = random_noun(kinds, dice);
    if (!(noun.kinds & kind::kOpening)) return random_location(noun, Case::kDative, dice);  // not in a cupboard
  }
}

PlacePhrase random_home(Dice& dice) {
  if (dice.chance(25)) return random_city("in", "in", dice);
  while (true) {
    const Noun& noun = random_noun(kind::kPlace, dice);
    const PlacePhrase phrase = random_location(noun, Case::kDative, dice);
    if (phrase.german == "in") return phrase;
  }
}

PlacePhrase random_target(const Verb& verb, const Noun& object, Dice& dice) {
  const bool hangs = (verb.objects & kind::kHanging) != 0;
  const Kinds kinds = hangs ? kind::kWall : kind::kFurniture | (dice.chance(40) ? kind::kVessel : 0);
  while (true) {
    const Noun& noun = random_noun(hangs && dice.chance(50) ? kind::kOpening | kind::kHanging : kinds, dice);
    const bool fixed = (noun.kinds & (kind::kVessel | kind::kClothing | kind::kFlat)) == 0;
    if (&noun != &object && (hangs ? fixed : !noun.english_location.empty())) {
      return random_location(noun, Case::kAccusative, dice);
    }
  }
}

PlacePhrase random_goal(const Verb& verb, Dice& dice) {
  const Noun& noun = random_noun(kind::kPlace, dice);
  const NounPhrase phrase = random_phrase(noun, kPlaceWeights, 0, 10, dice);
  const bool has_inside = noun.german_location == "in";
  const bool is_building = (noun.kinds & kind::kBuilding) != 0;
  if (!has_inside || (is_building && dice.chance(50))) return {"to", "zu", Case::kDative, phrase};
  if (verb.prefix.empty() && dice.chance(40)) return {"out of", "aus", Case::kDative, phrase};
  return {"into", "in", Case::kAccusative, phrase};
}

PlacePhrase random_city_goal(Dice& dice) { return random_city("to", "nach", dice); }

}  // namespace mixtape::data::toy

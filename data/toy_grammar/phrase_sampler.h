#pragma once

#include "data/toy_grammar/dice.h"
#include "data/toy_grammar/sentence.h"

namespace mixtape::data::toy {

/// A verb's subject: a pronoun, a name, or any phrase with a noun of these kinds.
NounPhrase random_subject(Kinds kinds, Dice& dice);
NounPhrase random_object(const Noun& noun, Dice& dice);
/// An object with a word before it, as behind a recipient: `gives her letters` would have two meanings.
NounPhrase random_marked_object(const Noun& noun, Dice& dice);
/// What a which-question asks for, or what a relative clause can follow: no owner, so that it is clear what it follows.
NounPhrase random_head(const Noun& noun, Dice& dice);
NounPhrase random_which(const Noun& noun, Dice& dice);
NounPhrase random_recipient(Dice& dice);
NounPhrase random_companion(Dice& dice);
NounPhrase random_cause(Dice& dice);

/// Where something happens. `kinds`: what it may be: rooms, buildings, landscape, furniture.
PlacePhrase random_place(Kinds kinds, Dice& dice);
/// Where one lives or stays: inside something, or in a city.
PlacePhrase random_home(Dice& dice);
/// Where a verb of placing moves its object; German uses the accusative.
PlacePhrase random_target(const Verb& verb, const Noun& object, Dice& dice);
/// Where a verb of motion leads: to the station, into the house, out of the house.
PlacePhrase random_goal(const Verb& verb, Dice& dice);
/// `to Berlin`
PlacePhrase random_city_goal(Dice& dice);

/// Any noun of these kinds.
const Noun& random_noun(Kinds kinds, Dice& dice);
/// An adjective for something of these kinds; null when there is none.
const Adjective* random_adjective(Kinds kinds, Dice& dice);

}  // namespace mixtape::data::toy

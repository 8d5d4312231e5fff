#pragma once

#include <string>

#include "data/toy_grammar/sentence.h"

namespace mixtape::data::toy {

/// The phrase in a case: `dem alten Mann`, `zweiundzwanzig rote Äpfel`, `das Auto meines Bruders`, `ihm`.
std::string german_noun_phrase(const NounPhrase& phrase, Case grammatical_case);

/// Preposition and phrase, contracted where German does: `im Garten`, `zur Schule`, `vom Arzt`, but `in diesem Garten`.
std::string german_prepositional_phrase(const std::string& preposition, const NounPhrase& phrase,
                                        Case grammatical_case);

/// The object with its verb's case or preposition: `den Bus`, `der Frau`, `auf den Bus`.
std::string german_object(const Verb& verb, const NounPhrase& object);

}  // namespace mixtape::data::toy

#pragma once

#include <string>

#include "data/toy_grammar/sentence.h"

namespace mixtape::data::toy {

/// The phrase as subject or object: `an old man`, `twenty-two red apples`, `my brother's car`.
std::string english_noun_phrase(const NounPhrase& phrase);
/// A pronoun that receives something: `me`, `him`; other phrases as they are.
std::string english_recipient(const NounPhrase& phrase);

}  // namespace mixtape::data::toy

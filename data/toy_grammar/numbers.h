#pragma once

#include <cstdint>
#include <string>

namespace mixtape::data::toy {

/// A number from 2 to 99 in words: `twenty-two`.
std::string english_number(int64_t number);
/// A number from 1 to 99 in words, as it is counted: `eins`, `zweiundzwanzig`, `einundzwanzig`.
std::string german_number(int64_t number);
/// `1st`, `2nd`, `3rd`, `11th`, `22nd`.
std::string english_ordinal(int64_t number);

}  // namespace mixtape::data::toy

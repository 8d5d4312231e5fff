#pragma once

#include <cstdint>

namespace mixtape::data::toy {

// The grammatical features that both languages agree on, or that German needs.

enum class Case { kNominative, kAccusative, kDative, kGenitive };
enum class Gender { kMasculine, kFeminine, kNeuter };
enum class Number { kSingular, kPlural };

/// What a subject asks of its verb. There is no second person: English `you` has three translations.
enum class Agreement { kFirstSingular, kThirdSingular, kPlural };

/// Tense of a clause, modal verbs included. English simple past is Praeteritum and present perfect is Perfekt, always.
enum class Tense { kPresent, kPast, kPerfect, kPluperfect, kFuture, kModal, kPastModal };

/// The modal verb of a clause whose tense is kModal or kPastModal.
enum class Modal { kNone, kCan, kMust, kWant, kMay, kShould };

enum class Determiner {
  kDefinite,       ///< the book, das Buch
  kIndefinite,     ///< a book, ein Buch
  kBare,           ///< books, Buecher; water, Wasser
  kPossessive,     ///< her book, ihr Buch
  kDemonstrative,  ///< this book, dieses Buch
  kOwner,          ///< the teacher's book, das Buch des Lehrers
  kEvery,          ///< every book, jedes Buch
  kMany,           ///< many books, viele Buecher
  kCount,          ///< twenty-two books, zweiundzwanzig Buecher
  kWhich,          ///< which book, welches Buch
  kNegative,       ///< (not) a book, kein Buch: German only
};

/// Whose: my, his, her, our, their.
enum class Possessor { kMy, kHis, kHer, kOur, kTheir };

enum class Pronoun { kI, kHe, kShe, kWe, kThey, kIt, kWho };

/// What a thing is, as a set of bits: decides what can be done with it, and which adjectives suit it.
using Kinds = uint32_t;
namespace kind {
inline constexpr Kinds kPerson = 1u << 0;
inline constexpr Kinds kAnimal = 1u << 1;
inline constexpr Kinds kFood = 1u << 2;
inline constexpr Kinds kDrink = 1u << 3;
inline constexpr Kinds kCooked = 1u << 4;   ///< what one cooks
inline constexpr Kinds kBaked = 1u << 5;    ///< what one bakes
inline constexpr Kinds kText = 1u << 6;     ///< what one reads
inline constexpr Kinds kWriting = 1u << 7;  ///< what one writes
inline constexpr Kinds kShow = 1u << 8;     ///< what one watches
inline constexpr Kinds kMusic = 1u << 9;
inline constexpr Kinds kInstrument = 1u << 10;
inline constexpr Kinds kClothing = 1u << 11;
inline constexpr Kinds kVehicle = 1u << 12;
inline constexpr Kinds kDevice = 1u << 13;
inline constexpr Kinds kVessel = 1u << 14;   ///< what stands when one puts it somewhere
inline constexpr Kinds kFlat = 1u << 15;     ///< what lies when one puts it somewhere
inline constexpr Kinds kHanging = 1u << 16;  ///< what one hangs on a wall
inline constexpr Kinds kFurniture = 1u << 17;
inline constexpr Kinds kToy = 1u << 18;
inline constexpr Kinds kBuilding = 1u << 19;
inline constexpr Kinds kRoom = 1u << 20;
inline constexpr Kinds kOpening = 1u << 21;  ///< what one opens and closes
inline constexpr Kinds kPlant = 1u << 22;
inline constexpr Kinds kLandscape = 1u << 23;
inline constexpr Kinds kCause = 1u << 24;  ///< because of the rain
inline constexpr Kinds kMass = 1u << 25;   ///< has no plural
inline constexpr Kinds kWall = 1u << 26;
inline constexpr Kinds kUnowned = 1u << 27;  ///< takes no possessive: the queen, the airport
inline constexpr Kinds kFeeling = 1u << 28;  ///< of adjectives: what one is for a while
inline constexpr Kinds kLiving = kPerson | kAnimal;
inline constexpr Kinds kPlace = kBuilding | kRoom | kLandscape;
}  // namespace kind

}  // namespace mixtape::data::toy

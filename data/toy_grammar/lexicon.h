#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/toy_grammar/features.h"

namespace mixtape::data::toy {

/// The words of both languages, each entry with one meaning: an English word has one German word wherever it stands in
/// the same construction.

struct Noun {
  std::string english, english_plural;
  std::string german, german_plural;
  Gender gender;
  std::string weak_ending;  ///< of a weak masculine outside the nominative: der Student, den Studenten; else empty
  Kinds kinds;
  std::string english_location, german_location;  ///< where one is there: `at` the station, `an` (dem) Bahnhof
};

struct Adjective {
  std::string english, german;
  std::string stem;  ///< what endings are added to: teuer, ein teures Haus
  Kinds kinds;       ///< what it can describe
};

/// Forms of an English verb.
struct EnglishForms {
  std::string base, third, past, participle;
};

/// Forms of a German verb, without its separable prefix.
struct GermanForms {
  std::string infinitive;
  std::string first, third, plural;        ///< present: ich, er, wir and sie
  std::string past_singular, past_plural;  ///< Praeteritum
  std::string participle;
};

/// What may be added to a verb.
enum class Aspect {
  kAction,  ///< anything: reads the book quickly in the garden on Monday
  kEvent,   ///< time and place: finds the key in the garden on Monday
  kState,   ///< frequency alone: often needs a key
};

/// What a verb takes besides its subject.
enum class Valency {
  kObject,     ///< reads the book; helps the child; waits for the bus
  kRecipient,  ///< gives the child the book
  kPlacing,    ///< puts the cup on the table
  kMotion,     ///< goes to the station
  kTravel,     ///< flies to Berlin
  kPosture,    ///< sits on the chair
  kStaying,    ///< lives in the village
  kAlone,      ///< laughs
  kSaying,     ///< says that ...
  kAsking,     ///< asks whether ...
  kPlanning,   ///< tries to ...
  kQuality,    ///< is tired
  kWeather,    ///< it rains
};

struct Verb {
  Valency valency;
  EnglishForms english;
  std::string particle;  ///< picks `up`, waits `for`
  GermanForms german;
  std::string prefix;  ///< separable: `ab` of abholen
  bool uses_sein;      ///< ist gegangen
  Case object_case;
  std::string preposition;  ///< of its object: wartet `auf` den Bus; else empty
  Kinds subjects, objects;
  Aspect aspect;

  bool takes_object() const { return objects != 0; }
  /// The verb as a dictionary lists it: `pick up`.
  std::string lemma() const { return particle.empty() ? english.base : english.base + " " + particle; }
};

/// A word or phrase that has one form: an adverb, a name, a time.
struct Term {
  std::string english, german;
};

const std::vector<Noun>& nouns();
const std::vector<Adjective>& adjectives();
const std::vector<Verb>& verbs();
const std::vector<Term>& manner_adverbs();
const std::vector<Term>& frequency_adverbs();
/// Those that stand with the perfect tenses: already, just.
const std::vector<Term>& perfect_adverbs();
const std::vector<Term>& cities();
const std::vector<Term>& first_names();

/// The entry with this English lemma; throws when there is none.
const Noun& noun(std::string_view english);
const Adjective& adjective(std::string_view english);
const Verb& verb(std::string_view english);

}  // namespace mixtape::data::toy

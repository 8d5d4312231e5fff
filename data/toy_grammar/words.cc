#include <fmt/format.h>

#include "autograd/tensors/error.h"
#include "data/toy_grammar/lexicon.h"

namespace mixtape::data::toy {
namespace {

using namespace kind;

constexpr Kinds kBelonging =
    kClothing | kVehicle | kDevice | kFurniture | kVessel | kToy | kInstrument | kFlat | kHanging;
constexpr Kinds kThing = kBelonging | kOpening | kBuilding | kRoom;
constexpr Kinds kArt = kText | kShow | kMusic;

/// English, German, what it describes, and the German stem where endings are not added to the word itself.
struct AdjectiveRow {
  const char* english;
  const char* german;
  Kinds kinds;
  const char* stem = nullptr;
};

const AdjectiveRow kAdjectiveRows[] = {
    {"old", "alt", kLiving | kThing | kText | kLandscape | kPlant},
    {"young", "jung", kLiving},
    {"small", "klein", kLiving | kThing | kFood | kLandscape | kPlant},
    {"big", "groß", kLiving | kThing | kFood | kLandscape | kPlant},
    {"beautiful", "schön", kLiving | kThing | kLandscape | kPlant | kArt},
    {"new", "neu", kThing | kArt},
    {"expensive", "teuer", kBelonging | kFood | kDrink, "teur"},
    {"red", "rot", kClothing | kVehicle | kVessel | kToy | kFurniture | kPlant},
    {"blue", "blau", kClothing | kVehicle | kVessel | kToy | kFurniture},
    {"green", "grün", kClothing | kVehicle | kVessel | kToy | kFurniture | kOpening},
    {"black", "schwarz", kClothing | kVehicle | kDevice | kAnimal},
    {"white", "weiß", kClothing | kVehicle | kBuilding | kAnimal | kOpening | kPlant},
    {"strong", "stark", kLiving},
    {"friendly", "freundlich", kPerson},
    {"clever", "klug", kLiving},
    {"famous", "berühmt", kPerson | kBuilding | kArt},
    {"rich", "reich", kPerson},
    {"hungry", "hungrig", kFeeling | kLiving},
    {"tired", "müde", kFeeling | kLiving, "müd"},
    {"ill", "krank", kFeeling | kLiving},
    {"happy", "glücklich", kFeeling | kPerson},
    {"sad", "traurig", kFeeling | kPerson | kArt},
    {"angry", "wütend", kFeeling | kPerson},
    {"dangerous", "gefährlich", kAnimal | kLandscape},
    {"boring", "langweilig", kArt},
    {"interesting", "interessant", kArt | kBuilding},
    {"long", "lang", kArt},
    {"fresh", "frisch", kFood},
    {"hot", "heiß", kDrink | kCooked},
    {"cold", "kalt", kDrink | kCooked | kRoom},
    {"warm", "warm", kClothing | kRoom | kDrink},
    {"clean", "sauber", kClothing | kVessel | kRoom},
    {"broken", "kaputt", kVehicle | kDevice | kInstrument},
    {"dark", "dunkel", kRoom | kBuilding, "dunkl"},
    {"bad", "schlecht", kArt},
    {"terrible", "schrecklich", kCause | kArt},
};

}  // namespace

const std::vector<Adjective>& adjectives() {
  static const std::vector<Adjective> all = [] {
    std::vector<Adjective> parsed;
    for (const AdjectiveRow& row : kAdjectiveRows) {
      parsed.push_back({row.english, row.german, row.stem ? row.stem : row.german, row.kinds});
    }
    return parsed;
  }();
  return all;
}

const Adjective& adjective(std::string_view english) {
  for (const Adjective& entry : adjectives()) {
    if (entry.english == english) return entry;
  }
  fail(fmt::format("toy grammar: no adjective '{}'", english));
}

const std::vector<Term>& manner_adverbs() {
  static const std::vector<Term> all = {
      {"quickly", "schnell"},      {"slowly", "langsam"}, {"quietly", "leise"},
      {"carefully", "vorsichtig"}, {"gladly", "gern"},    {"alone", "allein"},
  };
  return all;
}

const std::vector<Term>& frequency_adverbs() {
  static const std::vector<Term> all = {
      {"often", "oft"}, {"always", "immer"}, {"sometimes", "manchmal"}, {"rarely", "selten"}, {"never", "nie"},
  };
  return all;
}

const std::vector<Term>& perfect_adverbs() {
  static const std::vector<Term> all = {{"already", "schon"}, {"just", "gerade"}};
  return all;
}

const std::vector<Term>& cities() {
  static const std::vector<Term> all = {
      {"Berlin", "Berlin"}, {"Hamburg", "Hamburg"}, {"Munich", "München"}, {"Cologne", "Köln"}, {"Vienna", "Wien"},
      {"Zurich", "Zürich"}, {"Paris", "Paris"},     {"London", "London"},  {"Rome", "Rom"},     {"Prague", "Prag"},
  };
  return all;
}

const std::vector<Term>& first_names() {
  static const std::vector<Term> all = {
      {"Anna", "Anna"},   {"Peter", "Peter"}, {"Maria", "Maria"}, {"Thomas", "Thomas"},
      {"Julia", "Julia"}, {"Paul", "Paul"},   {"Laura", "Laura"}, {"Felix", "Felix"},
  };
  return all;
}

}  // namespace mixtape::data::toy

#include <fmt/format.h>

#include "autograd/tensors/error.h"
#include "data/toy_grammar/english_forms.h"
#include "data/toy_grammar/lexicon.h"

namespace mixtape::data::toy {
namespace {

using namespace kind;

/// A noun as a dictionary prints it. English: `man men`, or `book` alone if the plural is regular. German: article and
/// singular, with the ending of a weak noun (`der Student -en`); then the plural. Location: `at an`.
struct NounRow {
  const char* english;
  const char* german;
  const char* german_plural;
  Kinds kinds;
  const char* location = "";
};

const NounRow kNounRows[] = {
    {"teacher", "der Lehrer", "Lehrer", kPerson},
    {"man men", "der Mann", "Männer", kPerson | kUnowned},
    {"woman women", "die Frau", "Frauen", kPerson | kUnowned},
    {"child children", "das Kind", "Kinder", kPerson},
    {"boy", "der Junge -n", "Jungen", kPerson | kUnowned},
    {"girl", "das Mädchen", "Mädchen", kPerson | kUnowned},
    {"father", "der Vater", "Väter", kPerson},
    {"mother", "die Mutter", "Mütter", kPerson},
    {"brother", "der Bruder", "Brüder", kPerson},
    {"sister", "die Schwester", "Schwestern", kPerson},
    {"son", "der Sohn", "Söhne", kPerson},
    {"daughter", "die Tochter", "Töchter", kPerson},
    {"doctor", "der Arzt", "Ärzte", kPerson},
    {"student", "der Student -en", "Studenten", kPerson | kUnowned},
    {"neighbour", "der Nachbar -n", "Nachbarn", kPerson},
    {"colleague", "der Kollege -n", "Kollegen", kPerson},
    {"friend", "der Freund", "Freunde", kPerson},
    {"policeman policemen", "der Polizist -en", "Polizisten", kPerson | kUnowned},
    {"farmer", "der Bauer -n", "Bauern", kPerson | kUnowned},
    {"queen", "die Königin", "Königinnen", kPerson | kUnowned},

    {"dog", "der Hund", "Hunde", kAnimal},
    {"cat", "die Katze", "Katzen", kAnimal},
    {"horse", "das Pferd", "Pferde", kAnimal},
    {"bird", "der Vogel", "Vögel", kAnimal},
    {"cow", "die Kuh", "Kühe", kAnimal},
    {"mouse mice", "die Maus", "Mäuse", kAnimal},
    {"bear", "der Bär -en", "Bären", kAnimal | kUnowned},
    {"elephant", "der Elefant -en", "Elefanten", kAnimal | kUnowned},

    {"apple", "der Apfel", "Äpfel", kFood},
    {"cake", "der Kuchen", "Kuchen", kFood | kBaked},
    {"egg", "das Ei", "Eier", kFood | kCooked},
    {"potato", "die Kartoffel", "Kartoffeln", kFood | kCooked},
    {"tomato", "die Tomate", "Tomaten", kFood},
    {"sausage", "die Wurst", "Würste", kFood},
    {"soup", "die Suppe", "Suppen", kFood | kCooked},
    {"pizza", "die Pizza", "Pizzas", kFood | kBaked},
    {"bread", "das Brot", "", kFood | kBaked | kMass},
    {"cheese", "der Käse", "", kFood | kMass},
    {"meat", "das Fleisch", "", kFood | kCooked | kMass},
    {"rice", "der Reis", "", kFood | kCooked | kMass},
    {"water", "das Wasser", "", kDrink | kMass},
    {"milk", "die Milch", "", kDrink | kMass},
    {"coffee", "der Kaffee", "", kDrink | kMass},
    {"tea", "der Tee", "", kDrink | kMass},
    {"wine", "der Wein", "", kDrink | kMass},

    {"book", "das Buch", "Bücher", kText | kWriting | kFlat},
    {"letter", "der Brief", "Briefe", kText | kWriting | kFlat},
    {"newspaper", "die Zeitung", "Zeitungen", kText | kFlat},
    {"magazine", "die Zeitschrift", "Zeitschriften", kText | kFlat},
    {"poem", "das Gedicht", "Gedichte", kText | kWriting},
    {"novel", "der Roman", "Romane", kText | kWriting},
    {"story", "die Geschichte", "Geschichten", kText | kWriting},
    {"contract", "der Vertrag", "Verträge", kText | kWriting | kFlat},

    {"film", "der Film", "Filme", kShow | kUnowned},
    {"game", "das Spiel", "Spiele", kShow | kUnowned},
    {"opera", "die Oper", "Opern", kShow | kUnowned},
    {"concert", "das Konzert", "Konzerte", kMusic | kShow | kUnowned},
    {"song", "das Lied", "Lieder", kMusic | kWriting},
    {"piano", "das Klavier", "Klaviere", kInstrument},
    {"guitar", "die Gitarre", "Gitarren", kInstrument},
    {"violin", "die Geige", "Geigen", kInstrument},

    {"shirt", "das Hemd", "Hemden", kClothing | kHanging},
    {"dress", "das Kleid", "Kleider", kClothing | kHanging},
    {"coat", "der Mantel", "Mäntel", kClothing | kHanging},
    {"hat", "der Hut", "Hüte", kClothing | kHanging},
    {"shoe", "der Schuh", "Schuhe", kClothing},
    {"scarf scarves", "der Schal", "Schals", kClothing | kHanging},

    {"car", "das Auto", "Autos", kVehicle},
    {"bicycle", "das Fahrrad", "Fahrräder", kVehicle},
    {"train", "der Zug", "Züge", kVehicle},
    {"bus", "der Bus", "Busse", kVehicle},
    {"boat", "das Boot", "Boote", kVehicle},

    {"radio", "das Radio", "Radios", kDevice},
    {"television", "der Fernseher", "Fernseher", kDevice},
    {"computer", "der Computer", "Computer", kDevice},
    {"lamp", "die Lampe", "Lampen", kDevice | kHanging},
    {"clock", "die Uhr", "Uhren", kDevice | kHanging},
    {"camera", "die Kamera", "Kameras", kDevice},

    {"chair", "der Stuhl", "Stühle", kFurniture, "on auf"},
    {"table", "der Tisch", "Tische", kFurniture, "on auf"},
    {"bed", "das Bett", "Betten", kFurniture, "in in"},
    {"sofa", "das Sofa", "Sofas", kFurniture, "on auf"},
    {"cupboard", "der Schrank", "Schränke", kFurniture | kOpening, "in in"},
    {"shelf shelves", "das Regal", "Regale", kFurniture, "on auf"},
    {"wall", "die Wand", "Wände", kWall | kUnowned, "on an"},
    {"mirror", "der Spiegel", "Spiegel", kHanging},
    {"picture", "das Bild", "Bilder", kHanging | kFlat},
    {"door", "die Tür", "Türen", kOpening},
    {"window", "das Fenster", "Fenster", kOpening},
    {"box", "die Kiste", "Kisten", kVessel | kOpening, "in in"},
    {"bag", "die Tasche", "Taschen", kVessel | kOpening, "in in"},
    {"suitcase", "der Koffer", "Koffer", kVessel | kOpening, "in in"},
    {"bottle", "die Flasche", "Flaschen", kVessel | kOpening},
    {"cup", "die Tasse", "Tassen", kVessel},
    {"glass", "das Glas", "Gläser", kVessel},
    {"plate", "der Teller", "Teller", kVessel},
    {"key", "der Schlüssel", "Schlüssel", kFlat},
    {"knife knives", "das Messer", "Messer", kFlat},
    {"fork", "die Gabel", "Gabeln", kFlat},
    {"ball", "der Ball", "Bälle", kToy},
    {"doll", "die Puppe", "Puppen", kToy},
    {"flower", "die Blume", "Blumen", kPlant},
    {"rose", "die Rose", "Rosen", kPlant},
    {"tree", "der Baum", "Bäume", kPlant},

    {"house", "das Haus", "Häuser", kBuilding, "in in"},
    {"school", "die Schule", "Schulen", kBuilding, "in in"},
    {"church", "die Kirche", "Kirchen", kBuilding | kUnowned, "in in"},
    {"museum", "das Museum", "Museen", kBuilding | kUnowned, "in in"},
    {"castle", "das Schloss", "Schlösser", kBuilding | kUnowned, "in in"},
    {"hospital", "das Krankenhaus", "Krankenhäuser", kBuilding | kUnowned, "in in"},
    {"hotel", "das Hotel", "Hotels", kBuilding | kUnowned, "in in"},
    {"library", "die Bibliothek", "Bibliotheken", kBuilding | kUnowned, "in in"},
    {"station", "der Bahnhof", "Bahnhöfe", kBuilding | kUnowned, "at an"},
    {"airport", "der Flughafen", "Flughäfen", kBuilding | kUnowned, "at an"},
    {"kitchen", "die Küche", "Küchen", kRoom, "in in"},
    {"bathroom", "das Badezimmer", "Badezimmer", kRoom, "in in"},
    {"bedroom", "das Schlafzimmer", "Schlafzimmer", kRoom, "in in"},
    {"office", "das Büro", "Büros", kRoom, "in in"},
    {"room", "das Zimmer", "Zimmer", kRoom, "in in"},
    {"garden", "der Garten", "Gärten", kLandscape, "in in"},
    {"park", "der Park", "Parks", kLandscape | kUnowned, "in in"},
    {"forest", "der Wald", "Wälder", kLandscape | kUnowned, "in in"},
    {"city", "die Stadt", "Städte", kLandscape, "in in"},
    {"village", "das Dorf", "Dörfer", kLandscape, "in in"},
    {"river", "der Fluss", "Flüsse", kLandscape | kUnowned, "at an"},
    {"beach", "der Strand", "Strände", kLandscape | kUnowned, "on an"},
    {"market", "der Markt", "Märkte", kLandscape | kUnowned, "at auf"},
    {"bridge", "die Brücke", "Brücken", kLandscape | kUnowned, "on auf"},
    {"street", "die Straße", "Straßen", kLandscape, "on auf"},

    {"rain", "der Regen", "", kCause | kMass | kUnowned},
    {"snow", "der Schnee", "", kCause | kMass | kUnowned},
    {"storm", "der Sturm", "", kCause | kMass | kUnowned},
    {"weather", "das Wetter", "", kCause | kMass | kUnowned},
    {"heat", "die Hitze", "", kCause | kMass | kUnowned},
};

Gender gender_of(std::string_view article) {
  if (article == "der") return Gender::kMasculine;
  return article == "die" ? Gender::kFeminine : Gender::kNeuter;
}

/// Cuts `text` at its first `separator`; the second part is empty when there is none.
std::pair<std::string, std::string> cut(const std::string& text, std::string_view separator) {
  const size_t at = text.find(separator);
  if (at == std::string::npos) return {text, ""};
  return {text.substr(0, at), text.substr(at + separator.size())};
}

Noun parse(const NounRow& row) {
  const auto [singular, plural] = cut(row.english, " ");
  const auto [article, german] = cut(row.german, " ");
  const auto [stem, weak_ending] = cut(german, " -");
  const auto [english_location, german_location] = cut(row.location, " ");
  const bool mass = (row.kinds & kMass) != 0;
  return {.english = singular,
          .english_plural = mass || !plural.empty() ? plural : regular_plural(singular),
          .german = stem,
          .german_plural = row.german_plural,
          .gender = gender_of(article),
          .weak_ending = weak_ending,
          .kinds = row.kinds,
          .english_location = english_location,
          .german_location = german_location};
}

}  // namespace

const std::vector<Noun>& nouns() {
  static const std::vector<Noun> all = [] {
    std::vector<Noun> parsed;
    for (const NounRow& row : kNounRows) parsed.push_back(parse(row));
    return parsed;
  }();
  return all;
}

const Noun& noun(std::string_view english) {
  for (const Noun& entry : nouns()) {
    if (entry.english == english) return entry;
  }
  fail(fmt::format("toy grammar: no noun '{}'", english));
}

}  // namespace mixtape::data::toy

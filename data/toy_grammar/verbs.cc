#include <fmt/format.h>

#include <sstream>

#include "autograd/tensors/error.h"
#include "data/toy_grammar/english_forms.h"
#include "data/toy_grammar/german_forms.h"
#include "data/toy_grammar/lexicon.h"

namespace mixtape::data::toy {
namespace {

using namespace kind;

constexpr Kinds kGoods = kClothing | kVehicle | kDevice | kFurniture | kVessel | kToy | kInstrument;
constexpr Kinds kKept = kVessel | kFlat | kToy | kClothing;

/// What a verb governs: a case, or a preposition with a case.
struct Government {
  Kinds objects = 0;
  Case object_case = Case::kAccusative;
  const char* preposition = "";
};
constexpr Government accusative(Kinds objects) { return {objects}; }
constexpr Government dative(Kinds objects) { return {objects, Case::kDative}; }
constexpr Government accusative_after(const char* preposition, Kinds objects) {
  return {objects, Case::kAccusative, preposition};
}
constexpr Government dative_after(const char* preposition, Kinds objects) {
  return {objects, Case::kDative, preposition};
}
constexpr Government kNothing{};

constexpr Aspect kAction = Aspect::kAction;
constexpr Aspect kEvent = Aspect::kEvent;
constexpr Aspect kState = Aspect::kState;

/// A verb as a dictionary prints it. English: base, past, participle, or the base alone of a regular verb. German:
/// infinitive, third person, past, participle, or the infinitive alone of a weak verb; `|` after a separable prefix,
/// `ist` before the participle of a verb that takes sein.
struct VerbRow {
  Valency valency;
  const char* english;
  const char* particle;
  const char* german;
  Government government = kNothing;
  Aspect aspect = kAction;
  Kinds subjects = kPerson;
};

const VerbRow kVerbRows[] = {
    {Valency::kObject, "read read read", "", "lesen liest las gelesen", accusative(kText)},
    {Valency::kObject, "write wrote written", "", "schreiben schreibt schrieb geschrieben", accusative(kWriting)},
    {Valency::kObject, "understand understood understood", "", "verstehen versteht verstand verstanden",
     accusative(kText | kPerson | kShow), kState},
    {Valency::kObject, "forget forgot forgotten", "", "vergessen vergisst vergaß vergessen", accusative(kKept | kMusic),
     kEvent},
    {Valency::kObject, "eat ate eaten", "", "essen isst aß gegessen", accusative(kFood)},
    {Valency::kObject, "drink drank drunk", "", "trinken trinkt trank getrunken", accusative(kDrink)},
    {Valency::kObject, "cook", "", "kochen", accusative(kCooked)},
    {Valency::kObject, "bake", "", "backen backt backte gebacken", accusative(kBaked)},
    {Valency::kObject, "prepare", "", "zu|bereiten", accusative(kFood)},
    {Valency::kObject, "buy bought bought", "", "kaufen", accusative(kFood | kDrink | kGoods | kFlat | kAnimal)},
    {Valency::kObject, "sell sold sold", "", "verkaufen", accusative(kGoods | kAnimal | kBuilding | kFood)},
    {Valency::kObject, "pay paid paid", "for", "bezahlen", accusative(kFood | kDrink | kGoods)},
    {Valency::kObject, "choose chose chosen", "", "aus|wählen", accusative(kGoods | kText | kShow)},
    {Valency::kObject, "love", "", "lieben", accusative(kPerson | kAnimal | kMusic | kPlant | kLandscape), kState},
    {Valency::kObject, "know knew known", "", "kennen kennt kannte gekannt",
     accusative(kPerson | kBuilding | kText | kMusic | kShow), kState},
    {Valency::kObject, "need", "", "brauchen", accusative(kGoods | kFlat | kDrink), kState},
    {Valency::kObject, "see saw seen", "", "sehen sieht sah gesehen",
     accusative(kLiving | kBuilding | kVehicle | kShow), kEvent},
    {Valency::kObject, "hear heard heard", "", "hören", accusative(kLiving | kMusic | kInstrument), kEvent},
    {Valency::kObject, "watch", "", "an|schauen", accusative(kShow)},
    {Valency::kObject, "visit", "", "besuchen", accusative(kPerson | kBuilding)},
    {Valency::kObject, "meet met met", "", "treffen trifft traf getroffen", accusative(kPerson), kEvent},
    {Valency::kObject, "invite", "", "ein|laden lädt lud geladen", accusative(kPerson)},
    {Valency::kObject, "call", "", "an|rufen ruft rief gerufen", accusative(kPerson)},
    {Valency::kObject, "pick", "up", "ab|holen", accusative(kPerson | kClothing | kVehicle)},
    {Valency::kObject, "feed fed fed", "", "füttern", accusative(kAnimal)},
    {Valency::kObject, "paint", "", "malen", accusative(kLiving | kBuilding | kPlant | kLandscape)},
    {Valency::kObject, "play", "", "spielen", accusative(kInstrument)},
    {Valency::kObject, "repair", "", "reparieren", accusative(kVehicle | kDevice | kFurniture | kInstrument)},
    {Valency::kObject, "clean", "", "putzen", accusative(kRoom | kOpening | kFurniture | kVehicle)},
    {Valency::kObject, "wash", "", "waschen wäscht wusch gewaschen", accusative(kClothing | kVehicle | kAnimal)},
    {Valency::kObject, "wear wore worn", "", "tragen trägt trug getragen", accusative(kClothing), kEvent},
    {Valency::kObject, "take took taken", "off", "aus|ziehen zieht zog gezogen", accusative(kClothing)},
    {Valency::kObject, "look", "for", "suchen", accusative(kKept | kLiving)},
    {Valency::kObject, "find found found", "", "finden findet fand gefunden", accusative(kKept | kLiving), kEvent},
    {Valency::kObject, "lose lost lost", "", "verlieren verliert verlor verloren", accusative(kKept), kEvent},
    {Valency::kObject, "throw threw thrown", "away", "weg|werfen wirft warf geworfen", accusative(kKept | kFood)},
    {Valency::kObject, "pack", "", "ein|packen", accusative(kClothing | kFlat | kToy)},
    {Valency::kObject, "open", "", "öffnen", accusative(kOpening)},
    {Valency::kObject, "close", "", "schließen schließt schloss geschlossen", accusative(kOpening | kBuilding)},
    {Valency::kObject, "switch", "on", "ein|schalten", accusative(kDevice)},
    {Valency::kObject, "switch", "off", "aus|schalten", accusative(kDevice)},
    {Valency::kObject, "tidy", "up", "auf|räumen", accusative(kRoom)},
    {Valency::kObject, "build built built", "", "bauen", accusative(kBuilding | kFurniture | kVehicle)},
    {Valency::kObject, "borrow", "", "aus|leihen leiht lieh geliehen", accusative(kText | kVehicle | kInstrument)},
    {Valency::kObject, "return", "", "zurück|geben gibt gab gegeben", accusative(kKept | kInstrument)},
    {Valency::kObject, "bring brought brought", "along", "mit|bringen bringt brachte gebracht",
     accusative(kFood | kDrink | kToy | kInstrument)},
    {Valency::kObject, "water", "", "gießen gießt goss gegossen", accusative(kPlant)},
    {Valency::kObject, "help", "", "helfen hilft half geholfen", dative(kPerson)},
    {Valency::kObject, "thank", "", "danken", dative(kPerson)},
    {Valency::kObject, "follow", "", "folgen folgt folgte ist gefolgt", dative(kLiving | kVehicle)},
    {Valency::kObject, "trust", "", "vertrauen", dative(kPerson), kState},
    {Valency::kObject, "listen", "to", "zu|hören", dative(kPerson)},
    {Valency::kObject, "wait", "for", "warten", accusative_after("auf", kPerson | kVehicle)},
    {Valency::kObject, "think thought thought", "of", "denken denkt dachte gedacht",
     accusative_after("an", kPerson | kBuilding | kLandscape), kState},
    {Valency::kObject, "laugh", "about", "lachen", accusative_after("über", kText | kShow)},
    {Valency::kObject, "speak spoke spoken", "with", "sprechen spricht sprach gesprochen",
     dative_after("mit", kPerson)},
    {Valency::kObject, "play", "with", "spielen", dative_after("mit", kToy | kAnimal)},
    {Valency::kObject, "dream", "of", "träumen", dative_after("von", kLiving | kVehicle | kBuilding), kState},

    {Valency::kRecipient, "give gave given", "", "geben gibt gab gegeben", accusative(kKept | kPlant)},
    {Valency::kRecipient, "show showed shown", "", "zeigen", accusative(kPlace | kHanging | kText | kVehicle)},
    {Valency::kRecipient, "send sent sent", "", "schicken", accusative(kText | kPlant | kToy)},
    {Valency::kRecipient, "lend lent lent", "", "leihen leiht lieh geliehen",
     accusative(kVehicle | kInstrument | kFlat | kClothing)},
    {Valency::kRecipient, "bring brought brought", "", "bringen bringt brachte gebracht",
     accusative(kFood | kDrink | kVessel | kPlant)},

    {Valency::kPlacing, "put put put", "", "stellen", accusative(kVessel | kDevice)},
    {Valency::kPlacing, "lay laid laid", "", "legen", accusative(kFlat | kToy)},
    {Valency::kPlacing, "hang hung hung", "", "hängen", accusative(kHanging)},

    {Valency::kMotion, "go went gone", "", "gehen geht ging ist gegangen"},
    {Valency::kMotion, "run ran run", "", "laufen läuft lief ist gelaufen", kNothing, kAction, kLiving},
    {Valency::kTravel, "drive drove driven", "", "fahren fährt fuhr ist gefahren"},
    {Valency::kMotion, "come came come", "back", "zurück|kommen kommt kam ist gekommen"},
    {Valency::kTravel, "fly flew flown", "", "fliegen fliegt flog ist geflogen"},
    {Valency::kStaying, "live", "", "wohnen", kNothing, kEvent},
    {Valency::kPosture, "sit sat sat", "", "sitzen sitzt saß gesessen", kNothing, kEvent, kLiving},
    {Valency::kPosture, "stand stood stood", "", "stehen steht stand gestanden", kNothing, kEvent, kLiving},
    {Valency::kStaying, "stay", "", "bleiben bleibt blieb ist geblieben", kNothing, kEvent, kLiving},
    {Valency::kAlone, "sleep slept slept", "", "schlafen schläft schlief geschlafen", kNothing, kEvent, kLiving},
    {Valency::kAlone, "work", "", "arbeiten"},
    {Valency::kAlone, "laugh", "", "lachen"},
    {Valency::kAlone, "sing sang sung", "", "singen singt sang gesungen"},
    {Valency::kAlone, "swim swam swum", "", "schwimmen schwimmt schwamm ist geschwommen"},
    {Valency::kAlone, "smile", "", "lächeln"},
    {Valency::kAlone, "shop shopped shopped", "", "ein|kaufen"},
    {Valency::kAlone, "get got got", "up", "auf|stehen steht stand ist gestanden", kNothing, kEvent},
    {Valency::kAlone, "arrive", "", "an|kommen kommt kam ist gekommen", kNothing, kEvent, kPerson | kVehicle},
    {Valency::kAlone, "fall fell fallen", "asleep", "ein|schlafen schläft schlief ist geschlafen", kNothing, kEvent,
     kLiving},

    {Valency::kSaying, "say said said", "", "sagen"},
    {Valency::kSaying, "believe", "", "glauben", kNothing, kState},
    {Valency::kSaying, "hope", "", "hoffen", kNothing, kState},
    {Valency::kAsking, "ask", "", "fragen"},
    {Valency::kAsking, "check", "", "prüfen"},
    {Valency::kAsking, "find found found", "out", "heraus|finden findet fand gefunden", kNothing, kState},
    {Valency::kPlanning, "try", "", "versuchen"},
    {Valency::kPlanning, "promise", "", "versprechen verspricht versprach versprochen", kNothing, kState},
    {Valency::kPlanning, "decide", "", "beschließen beschließt beschloss beschlossen", kNothing, kState},
    {Valency::kQuality, "be was been", "", "sein ist war ist gewesen", kNothing, kState, kLiving},
    {Valency::kWeather, "rain", "", "regnen", kNothing, kAction, 0},
    {Valency::kWeather, "snow", "", "schneien", kNothing, kAction, 0},
};

std::vector<std::string> split_words(const char* text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

GermanForms german_forms(const std::vector<std::string>& words) {
  if (words[0] == "sein") return sein();
  return words.size() == 1 ? weak_verb(words[0]) : strong_verb(words);
}

Verb parse(const VerbRow& row) {
  const std::vector<std::string> english = split_words(row.english);
  std::vector<std::string> german = split_words(row.german);
  std::string prefix;
  if (const size_t bar = german[0].find('|'); bar != std::string::npos) {
    prefix = german[0].substr(0, bar);
    german[0].erase(0, bar + 1);
  }
  const bool uses_sein = german.size() == 5;
  if (uses_sein) german.erase(german.begin() + 3);
  return {.valency = row.valency,
          .english = english.size() == 1 ? regular_verb(english[0]) : irregular_verb(english),
          .particle = row.particle,
          .german = german_forms(german),
          .prefix = prefix,
          .uses_sein = uses_sein,
          .object_case = row.government.object_case,
          .preposition = row.government.preposition,
          .subjects = row.subjects,
          .objects = row.government.objects,
          .aspect = row.aspect};
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = [] {
    std::vector<Verb> parsed;
    for (const VerbRow& row : kVerbRows) parsed.push_back(parse(row));
    return parsed;
  }();
  return all;
}

const Verb& verb(std::string_view lemma) {
  for (const Verb& entry : verbs()) {
    if (entry.lemma() == lemma) return entry;
  }
  fail(fmt::format("toy grammar: no verb '{}'", lemma));
}

}  // namespace mixtape::data::toy

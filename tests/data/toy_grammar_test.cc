#include <doctest/doctest.h>

#include <set>

#include "data/toy_grammar/german_forms.h"
#include "data/toy_grammar/numbers.h"
#include "data/toy_grammar/sentence.h"
#include "data/toy_grammar/times.h"

using namespace mixtape::data::toy;

namespace {

constexpr Number kSingular = Number::kSingular;
constexpr Number kPlural = Number::kPlural;

NounPhrase phrase(Determiner determiner, const char* english, const char* quality = nullptr,
                  Number number = kSingular) {
  return {.noun = &noun(english),
          .number = number,
          .determiner = determiner,
          .adjective = quality ? &adjective(quality) : nullptr};
}
NounPhrase the(const char* english, const char* quality = nullptr, Number number = kSingular) {
  return phrase(Determiner::kDefinite, english, quality, number);
}
NounPhrase a(const char* english, const char* quality = nullptr) {
  return phrase(Determiner::kIndefinite, english, quality);
}
NounPhrase bare(const char* english, const char* quality = nullptr, Number number = kPlural) {
  return phrase(Determiner::kBare, english, quality, number);
}
NounPhrase own(Possessor possessor, const char* english, const char* quality = nullptr, Number number = kSingular) {
  NounPhrase result = phrase(Determiner::kPossessive, english, quality, number);
  result.possessor = possessor;
  return result;
}
NounPhrase count(int64_t number, const char* english, const char* quality = nullptr) {
  NounPhrase result = phrase(Determiner::kCount, english, quality, kPlural);
  result.count = number;
  return result;
}
NounPhrase owned(const char* owner, const char* english, const char* quality = nullptr) {
  NounPhrase result = phrase(Determiner::kOwner, english, quality);
  result.owner = &noun(owner);
  return result;
}
NounPhrase pronoun(Pronoun pronoun) { return {.type = NounPhrase::Type::kPronoun, .pronoun = pronoun}; }

PlacePhrase place(const char* english, const char* german, Case german_case, const NounPhrase& where) {
  return {english, german, german_case, where};
}

Clause clause(const NounPhrase& subject, const char* lemma, Tense tense = Tense::kPresent) {
  Clause result;
  result.subject = subject;
  result.verb = &verb(lemma);
  result.tense = tense;
  return result;
}
Clause clause(const NounPhrase& subject, const char* lemma, const NounPhrase& object, Tense tense = Tense::kPresent) {
  Clause result = clause(subject, lemma, tense);
  result.object = object;
  return result;
}
Clause modal(Clause clause, Modal modal, bool past = false) {
  clause.tense = past ? Tense::kPastModal : Tense::kModal;
  clause.modal = modal;
  return clause;
}
Clause negated(Clause clause) {
  clause.negated = true;
  return clause;
}

void check(const Sentence& sentence, std::string_view english, std::string_view german) {
  CHECK(to_english(sentence) == english);
  CHECK(to_german(sentence) == german);
}
void check(const Clause& statement, const char* english, const char* german) {
  check(Sentence{Construction::kStatement, statement, std::nullopt}, english, german);
}
void check(Construction construction, const Clause& main, const char* english, const char* german) {
  check(Sentence{construction, main, std::nullopt}, english, german);
}
void check(Construction construction, const Clause& main, const Clause& second, const char* english,
           const char* german) {
  check(Sentence{construction, main, second}, english, german);
}

const NounPhrase kI = pronoun(Pronoun::kI);
const NounPhrase kHe = pronoun(Pronoun::kHe);
const NounPhrase kShe = pronoun(Pronoun::kShe);
const NounPhrase kWe = pronoun(Pronoun::kWe);
const NounPhrase kThey = pronoun(Pronoun::kThey);
const NounPhrase kIt = pronoun(Pronoun::kIt);

}  // namespace

TEST_CASE("articles and adjectives agree in gender, case and number") {
  check(clause(the("man", "old"), "buy", the("hat", "red")), "The old man buys the red hat.",
        "Der alte Mann kauft den roten Hut.");
  check(clause(a("child", "small"), "buy", a("hat", "red")), "A small child buys a red hat.",
        "Ein kleines Kind kauft einen roten Hut.");
  check(clause(the("woman", "young"), "see", a("dog", "black")), "The young woman sees a black dog.",
        "Die junge Frau sieht einen schwarzen Hund.");
  check(clause(phrase(Determiner::kDemonstrative, "girl"), "see", phrase(Determiner::kDemonstrative, "castle", "old")),
        "This girl sees this old castle.", "Dieses Mädchen sieht dieses alte Schloss.");
  check(clause(kHe, "drink", bare("water", "cold", kSingular)), "He drinks cold water.", "Er trinkt kaltes Wasser.");
  check(clause(kHe, "drink", bare("wine", "expensive", kSingular)), "He drinks expensive wine.",
        "Er trinkt teuren Wein.");
  check(clause(phrase(Determiner::kEvery, "man"), "love", own(Possessor::kHis, "dog", "old")),
        "Every man loves his old dog.", "Jeder Mann liebt seinen alten Hund.");
  check(clause(kShe, "need", own(Possessor::kTheir, "car", "new")), "She needs their new car.",
        "Sie braucht ihr neues Auto.");
  check(clause(own(Possessor::kOur, "sister", "old"), "repair", own(Possessor::kOur, "television", "old")),
        "Our old sister repairs our old television.", "Unsere alte Schwester repariert unseren alten Fernseher.");
  check(clause(phrase(Determiner::kMany, "child", "clever", kPlural), "know", the("song", nullptr, kPlural)),
        "Many clever children know the songs.", "Viele kluge Kinder kennen die Lieder.");
}

TEST_CASE("verbs and prepositions choose the case") {
  check(clause(kI, "help", the("child", "ill")), "I help the ill child.", "Ich helfe dem kranken Kind.");
  check(clause(kWe, "thank", the("teacher", "friendly", kPlural)), "We thank the friendly teachers.",
        "Wir danken den freundlichen Lehrern.");
  check(clause(kThey, "follow", a("cow"), Tense::kPerfect), "They have followed a cow.", "Sie sind einer Kuh gefolgt.");
  check(clause(kShe, "wait for", the("bus")), "She waits for the bus.", "Sie wartet auf den Bus.");
  check(clause(kShe, "dream of", the("elephant", "small"), Tense::kPast), "She dreamed of the small elephant.",
        "Sie träumte vom kleinen Elefanten.");
  check(clause(kHe, "speak with", own(Possessor::kMy, "colleague", nullptr, kPlural), Tense::kPast),
        "He spoke with my colleagues.", "Er sprach mit meinen Kollegen.");
  Clause gives = clause(the("man"), "give", the("book"), Tense::kPast);
  gives.recipient = kShe;
  check(gives, "The man gave her the book.", "Der Mann gab ihr das Buch.");
  gives.object = a("book", "new");
  gives.recipient = the("student");
  gives.time = Term{"yesterday", "gestern"};
  check(gives, "The man gave the student a new book yesterday.", "Der Mann gab dem Studenten gestern ein neues Buch.");
}

TEST_CASE("weak nouns and dative plurals have endings of their own") {
  check(clause(the("boy"), "see", the("elephant")), "The boy sees the elephant.", "Der Junge sieht den Elefanten.");
  check(clause(kI, "trust", the("neighbour")), "I trust the neighbour.", "Ich vertraue dem Nachbarn.");
  check(clause(kI, "play with", the("ball", nullptr, kPlural)), "I play with the balls.", "Ich spiele mit den Bällen.");
  check(clause(kI, "thank", the("woman", nullptr, kPlural)), "I thank the women.", "Ich danke den Frauen.");
  check(clause(kI, "see", owned("student", "bicycle", "red")), "I see the student's red bicycle.",
        "Ich sehe das rote Fahrrad des Studenten.");
  check(clause(kI, "wash", owned("child", "shirt")), "I wash the child's shirt.", "Ich wasche das Hemd des Kindes.");
  check(clause(kI, "play with", owned("father", "cat")), "I play with the father's cat.",
        "Ich spiele mit der Katze des Vaters.");
}

TEST_CASE("two-way prepositions tell place from direction, and contract") {
  Clause puts = clause(the("daughter"), "put", the("bottle"));
  puts.direction = place("on", "auf", Case::kAccusative, the("table"));
  check(puts, "The daughter puts the bottle on the table.", "Die Tochter stellt die Flasche auf den Tisch.");
  Clause sits = clause(the("cat"), "sit");
  sits.place = place("on", "auf", Case::kDative, the("table"));
  check(sits, "The cat sits on the table.", "Die Katze sitzt auf dem Tisch.");
  Clause goes = clause(kI, "go");
  goes.direction = place("into", "in", Case::kAccusative, the("garden"));
  check(goes, "I go into the garden.", "Ich gehe in den Garten.");
  goes.direction = place("into", "in", Case::kAccusative, the("house", "old"));
  check(goes, "I go into the old house.", "Ich gehe ins alte Haus.");
  goes.direction = place("to", "zu", Case::kDative, the("school"));
  check(goes, "I go to the school.", "Ich gehe zur Schule.");
  goes.direction = place("to", "zu", Case::kDative, phrase(Determiner::kDemonstrative, "station"));
  check(goes, "I go to this station.", "Ich gehe zu diesem Bahnhof.");
  Clause works = clause(kI, "work");
  works.place = place("in", "in", Case::kDative, the("garden"));
  check(works, "I work in the garden.", "Ich arbeite im Garten.");
}

TEST_CASE("each tense has its verb forms") {
  const NounPhrase book = the("book");
  check(clause(kHe, "read", book), "He reads the book.", "Er liest das Buch.");
  check(clause(kHe, "read", book, Tense::kPast), "He read the book.", "Er las das Buch.");
  check(clause(kHe, "read", book, Tense::kPerfect), "He has read the book.", "Er hat das Buch gelesen.");
  check(clause(kHe, "read", book, Tense::kPluperfect), "He had read the book.", "Er hatte das Buch gelesen.");
  check(clause(kHe, "read", book, Tense::kFuture), "He will read the book.", "Er wird das Buch lesen.");
  check(modal(clause(kHe, "read", book), Modal::kMust), "He must read the book.", "Er muss das Buch lesen.");
  check(modal(clause(kThey, "read", book), Modal::kMust, true), "They had to read the book.",
        "Sie mussten das Buch lesen.");
  check(modal(clause(kI, "read", book), Modal::kWant), "I want to read the book.", "Ich will das Buch lesen.");
  check(modal(clause(kWe, "read", book), Modal::kMay, true), "We were allowed to read the book.",
        "Wir durften das Buch lesen.");
  check(clause(kThey, "arrive", Tense::kPluperfect), "They had arrived.", "Sie waren angekommen.");
  check(clause(kI, "smile"), "I smile.", "Ich lächle.");
  check(clause(kShe, "open", the("window", nullptr, kPlural), Tense::kPast), "She opened the windows.",
        "Sie öffnete die Fenster.");
}

TEST_CASE("separable verbs part in main clauses and join elsewhere") {
  const Clause calls = clause(the("boy"), "call", own(Possessor::kHis, "sister"));
  check(calls, "The boy calls his sister.", "Der Junge ruft seine Schwester an.");
  Clause called = calls;
  called.tense = Tense::kPerfect;
  check(called, "The boy has called his sister.", "Der Junge hat seine Schwester angerufen.");
  check(modal(calls, Modal::kCan), "The boy can call his sister.", "Der Junge kann seine Schwester anrufen.");
  check(Construction::kBecause, clause(the("mother"), "smile"), calls,
        "The mother smiles because the boy calls his sister.",
        "Die Mutter lächelt, weil der Junge seine Schwester anruft.");
  check(Construction::kInfinitive, clause(the("boy"), "try"), calls, "The boy tries to call his sister.",
        "Der Junge versucht, seine Schwester anzurufen.");
  check(Construction::kInfinitive, clause(the("boy"), "promise", Tense::kPast),
        clause(the("boy"), "read", the("novel")), "The boy promised to read the novel.",
        "Der Junge versprach, den Roman zu lesen.");
}

TEST_CASE("the verb is second after anything that stands first") {
  Clause opens = clause(the("policeman"), "open", the("door"), Tense::kPast);
  opens.time = on_date(3, 5);
  check(Construction::kTimeFirst, opens, "On the 3rd of May the policeman opened the door.",
        "Am 3. Mai öffnete der Polizist die Tür.");
  check(Construction::kStatement, opens, "The policeman opened the door on the 3rd of May.",
        "Der Polizist öffnete die Tür am 3. Mai.");
  opens.time = in_year(1998);
  check(Construction::kTimeFirst, opens, "In 1998 the policeman opened the door.",
        "1998 öffnete der Polizist die Tür.");
  Clause cooks = clause(the("father"), "cook", the("soup"), Tense::kPerfect);
  cooks.place = place("in", "in", Case::kDative, the("kitchen"));
  check(Construction::kPlaceFirst, cooks, "In the kitchen the father has cooked the soup.",
        "In der Küche hat der Vater die Suppe gekocht.");
  cooks.place.reset();
  cooks.cause = the("rain", "terrible", kSingular);
  check(Construction::kCauseFirst, cooks, "Because of the terrible rain the father has cooked the soup.",
        "Wegen des schrecklichen Regens hat der Vater die Suppe gekocht.");
  check(Construction::kWhenFirst, clause(kWe, "sleep", Tense::kPast), clause(kIt, "rain", Tense::kPast),
        "When it rained, we slept.", "Als es regnete, schliefen wir.");
  check(Construction::kWhenFirst, clause(kWe, "sleep"), clause(kIt, "rain"), "When it rains, we sleep.",
        "Wenn es regnet, schlafen wir.");
}

TEST_CASE("the verb is last in subordinate clauses") {
  const Clause laughs = clause(kShe, "laugh");
  check(Construction::kAlthough, laughs, clause(kHe, "arrive", Tense::kPerfect), "She laughs although he has arrived.",
        "Sie lacht, obwohl er angekommen ist.");
  check(Construction::kIf, laughs, modal(clause(kHe, "sing"), Modal::kMust), "She laughs if he must sing.",
        "Sie lacht, falls er singen muss.");
  check(Construction::kAfter, clause(kShe, "laugh", Tense::kPast),
        clause(kHe, "tidy up", the("room"), Tense::kPluperfect), "She laughed after he had tidied up the room.",
        "Sie lachte, nachdem er das Zimmer aufgeräumt hatte.");
  check(Construction::kThat, clause(kShe, "believe"), clause(kHe, "sleep", Tense::kFuture),
        "She believes that he will sleep.", "Sie glaubt, dass er schlafen wird.");
  check(Construction::kWhether, clause(kShe, "find out", Tense::kPast), clause(kHe, "sleep", Tense::kPast),
        "She found out whether he slept.", "Sie fand heraus, ob er schlief.");
}

TEST_CASE("relative pronouns take gender from the noun and case from their clause") {
  const NounPhrase man = the("man");
  check(Construction::kSubjectRelative, clause(man, "laugh"), clause(man, "read", the("letter")),
        "The man who reads the letter laughs.", "Der Mann, der den Brief liest, lacht.");
  check(Construction::kObjectRelative, clause(man, "laugh"), clause(the("woman"), "see", man),
        "The man whom the woman sees laughs.", "Der Mann, den die Frau sieht, lacht.");
  const NounPhrase children = the("child", nullptr, kPlural);
  check(Construction::kObjectRelative, clause(children, "laugh", Tense::kPerfect), clause(kHe, "help", children),
        "The children whom he helps have laughed.", "Die Kinder, denen er hilft, haben gelacht.");
  check(Construction::kTrailingRelative, clause(kI, "see", the("train"), Tense::kPerfect),
        clause(kHe, "wait for", the("train")), "I have seen the train that he waits for.",
        "Ich habe den Zug gesehen, auf den er wartet.");
}

TEST_CASE("questions put the verb first or behind the question word") {
  check(Construction::kYesNoQuestion, clause(kHe, "pick up", the("coat")), "Does he pick up the coat?",
        "Holt er den Mantel ab?");
  check(Construction::kWhenQuestion, clause(the("train"), "arrive", Tense::kFuture), "When will the train arrive?",
        "Wann wird der Zug ankommen?");
  check(Construction::kWhoQuestion, clause(pronoun(Pronoun::kWho), "know", the("queen")), "Who knows the queen?",
        "Wer kennt die Königin?");
  check(Construction::kWhichQuestion, clause(kHe, "watch", phrase(Determiner::kWhich, "film", "sad"), Tense::kPerfect),
        "Which sad film has he watched?", "Welchen traurigen Film hat er angeschaut?");
  check(Construction::kWhichQuestion, clause(kHe, "listen to", phrase(Determiner::kWhich, "child")),
        "Which child does he listen to?", "Welchem Kind hört er zu?");
}

TEST_CASE("negation is kein with an indefinite object and nicht otherwise") {
  check(negated(clause(kHe, "eat", a("apple"))), "He does not eat an apple.", "Er isst keinen Apfel.");
  check(negated(clause(kHe, "eat", bare("potato"))), "He does not eat potatoes.", "Er isst keine Kartoffeln.");
  check(negated(clause(kHe, "eat", the("apple"), Tense::kPerfect)), "He has not eaten the apple.",
        "Er hat den Apfel nicht gegessen.");
  check(negated(clause(kHe, "wait for", a("train"))), "He does not wait for a train.",
        "Er wartet nicht auf einen Zug.");
  check(modal(negated(clause(kHe, "call", the("doctor"))), Modal::kCan), "He cannot call the doctor.",
        "Er kann den Arzt nicht anrufen.");
  Clause works = negated(clause(kHe, "work"));
  works.place = place("in", "in", Case::kDative, the("library"));
  check(works, "He does not work in the library.", "Er arbeitet nicht in der Bibliothek.");
}

TEST_CASE("definite objects stand before the adverbials, indefinite ones behind") {
  Clause reads = clause(kHe, "read", the("letter"), Tense::kPerfect);
  reads.time = at_clock(8, 2);
  check(reads, "He has read the letter at half past eight.", "Er hat den Brief um halb neun gelesen.");
  reads.object = count(22, "letter", "old");
  check(reads, "He has read twenty-two old letters at half past eight.",
        "Er hat um halb neun zweiundzwanzig alte Briefe gelesen.");
}

TEST_CASE("numbers, clock times and dates") {
  CHECK(english_number(12) == "twelve");
  CHECK(english_number(40) == "forty");
  CHECK(english_number(99) == "ninety-nine");
  CHECK(german_number(1) == "eins");
  CHECK(german_number(16) == "sechzehn");
  CHECK(german_number(21) == "einundzwanzig");
  CHECK(german_number(77) == "siebenundsiebzig");
  CHECK(english_ordinal(11) == "11th");
  CHECK(english_ordinal(22) == "22nd");
  CHECK(english_ordinal(31) == "31st");
  CHECK(at_clock(3, 0).german == "um drei Uhr");
  CHECK(at_clock(3, 1).german == "um Viertel nach drei");
  CHECK(at_clock(3, 3).german == "um Viertel vor drei");
  CHECK(ago(3, 0).english == "three days ago");
  CHECK(ago(3, 0).german == "vor drei Tagen");
  CHECK(from_now(2, 2).german == "in zwei Monaten");
}

TEST_CASE("rules make the regular forms") {
  CHECK(weak_verb("öffnen").past_singular == "öffnete");
  CHECK(weak_verb("reparieren").participle == "repariert");
  CHECK(weak_verb("besuchen").participle == "besucht");
  CHECK(weak_verb("füttern").first == "füttere");
  CHECK(weak_verb("arbeiten").third == "arbeitet");
  CHECK(strong_verb({"ziehen", "zieht", "zog", "gezogen"}).past_plural == "zogen");
  CHECK(strong_verb({"kennen", "kennt", "kannte", "gekannt"}).past_plural == "kannten");
  CHECK(infinitive_with_zu(verb("prepare")) == "zuzubereiten");
  CHECK(noun_form(noun("lamp"), Case::kDative, kPlural) == "Lampen");
  CHECK(noun_form(noun("car"), Case::kDative, kPlural) == "Autos");
  CHECK(noun_form(noun("house"), Case::kDative, kPlural) == "Häusern");
  CHECK(noun_form(noun("doctor"), Case::kGenitive, kSingular) == "Arztes");
  CHECK(noun_form(noun("teacher"), Case::kGenitive, kSingular) == "Lehrers");
  CHECK(noun_form(noun("policeman"), Case::kGenitive, kSingular) == "Polizisten");
}

TEST_CASE("the lexicon has one entry for each lemma") {
  std::set<std::string> words;
  for (const Noun& entry : nouns()) CHECK_MESSAGE(words.insert(entry.english).second, entry.english);
  words.clear();
  for (const Verb& entry : verbs()) CHECK_MESSAGE(words.insert(entry.lemma()).second, entry.lemma());
  words.clear();
  for (const Adjective& entry : adjectives()) CHECK_MESSAGE(words.insert(entry.english).second, entry.english);
  CHECK_THROWS(noun("unicorn"));
  CHECK_THROWS(verb("unread"));
  CHECK_THROWS(adjective("frumious"));
}

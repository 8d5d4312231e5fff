#include "data/toy_grammar/german_forms.h"

#include <algorithm>
#include <array>

namespace mixtape::data::toy {
namespace {

using Table = std::array<std::array<const char*, 4>, 4>;  // case by masculine, feminine, neuter, plural

constexpr Table kDefinite = {{{"der", "die", "das", "die"},
                              {"den", "die", "das", "die"},
                              {"dem", "der", "dem", "den"},
                              {"des", "der", "des", "der"}}};
constexpr Table kDerWord = {
    {{"er", "e", "es", "e"}, {"en", "e", "es", "e"}, {"em", "er", "em", "en"}, {"es", "er", "es", "er"}}};
constexpr Table kEinWord = {
    {{"", "e", "", "e"}, {"en", "e", "", "e"}, {"em", "er", "em", "en"}, {"es", "er", "es", "er"}}};
constexpr Table kWeak = {
    {{"e", "e", "e", "en"}, {"en", "e", "e", "en"}, {"en", "en", "en", "en"}, {"en", "en", "en", "en"}}};
constexpr Table kMixed = {
    {{"er", "e", "es", "en"}, {"en", "e", "es", "en"}, {"en", "en", "en", "en"}, {"en", "en", "en", "en"}}};
constexpr Table kStrong = {
    {{"er", "e", "es", "e"}, {"en", "e", "es", "e"}, {"em", "er", "em", "en"}, {"en", "er", "en", "er"}}};

const char* look_up(const Table& table, Case grammatical_case, Slot slot) {
  return table[static_cast<size_t>(grammatical_case)][static_cast<size_t>(slot)];
}

bool starts_with_any(const std::string& word, std::initializer_list<const char*> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const char* prefix) { return word.starts_with(prefix); });
}

bool ends_with_any(const std::string& word, std::initializer_list<const char*> endings) {
  return std::any_of(endings.begin(), endings.end(), [&](const char* ending) { return word.ends_with(ending); });
}

std::string stem_of(const std::string& infinitive) {
  return infinitive.substr(0, infinitive.size() - (infinitive.ends_with("en") ? 2 : 1));
}

/// ich lese, ich füttere, ich spiele, but ich lächle.
std::string first_person(const std::string& infinitive) {
  std::string stem = stem_of(infinitive);
  if (infinitive.ends_with("eln")) stem.erase(stem.size() - 2, 1);
  return stem + "e";
}

std::string plural_of_past(const std::string& past) { return past + (past.ends_with("e") ? "n" : "en"); }

/// Stems that could not be said with a bare t: arbeit-et, öffn-et, regn-et.
bool needs_e(const std::string& stem) { return ends_with_any(stem, {"t", "d", "fn", "gn", "chn"}); }

bool takes_ge(const std::string& infinitive) {
  return !infinitive.ends_with("ieren") && !starts_with_any(infinitive, {"be", "ver", "er"});
}

/// As `sein` for the perfect tenses; `können` and the like for modal clauses.
const GermanForms& haben() {
  static const GermanForms forms{"haben", "habe", "hat", "haben", "hatte", "hatten", "gehabt"};
  return forms;
}

const GermanForms& werden() {
  static const GermanForms forms{"werden", "werde", "wird", "werden", "wurde", "wurden", "geworden"};
  return forms;
}

const GermanForms& modal_forms(Modal modal) {
  static const GermanForms can{"können", "kann", "kann", "können", "konnte", "konnten", "gekonnt"};
  static const GermanForms must{"müssen", "muss", "muss", "müssen", "musste", "mussten", "gemusst"};
  static const GermanForms want{"wollen", "will", "will", "wollen", "wollte", "wollten", "gewollt"};
  static const GermanForms may{"dürfen", "darf", "darf", "dürfen", "durfte", "durften", "gedurft"};
  static const GermanForms should{"sollen", "sollte", "sollte", "sollten", "sollte", "sollten", "gesollt"};
  switch (modal) {
    case Modal::kCan:
      return can;
    case Modal::kMust:
      return must;
    case Modal::kMay:
      return may;
    case Modal::kShould:
      return should;
    default:
      return want;
  }
}

/// The number of syllables, for words without neighbouring vowels of different syllables.
int syllables(const std::string& word) {
  int count = 0;
  bool inside = false;
  for (const char letter : word) {
    const bool vowel = std::string_view("aeiouyAEIOUY").find(letter) != std::string_view::npos ||
                       static_cast<unsigned char>(letter) >= 0x80;  // umlauts; ß does not matter here
    count += vowel && !inside;
    inside = vowel;
  }
  return count;
}

}  // namespace

GermanForms weak_verb(const std::string& infinitive) {
  const std::string stem = stem_of(infinitive);
  const std::string with_t = stem + (needs_e(stem) ? "et" : "t");
  return {.infinitive = infinitive,
          .first = first_person(infinitive),
          .third = with_t,
          .plural = infinitive,
          .past_singular = with_t + "e",
          .past_plural = with_t + "en",
          .participle = (takes_ge(infinitive) ? "ge" : "") + with_t};
}

GermanForms strong_verb(const std::vector<std::string>& parts) {
  return {.infinitive = parts[0],
          .first = first_person(parts[0]),
          .third = parts[1],
          .plural = parts[0],
          .past_singular = parts[2],
          .past_plural = plural_of_past(parts[2]),
          .participle = parts[3]};
}

const GermanForms& sein() {
  static const GermanForms forms{"sein", "bin", "ist", "sind", "war", "waren", "gewesen"};
  return forms;
}

const std::string& conjugate(const GermanForms& forms, bool past, Agreement agreement) {
  if (agreement == Agreement::kPlural) return past ? forms.past_plural : forms.plural;
  if (past) return forms.past_singular;
  return agreement == Agreement::kFirstSingular ? forms.first : forms.third;
}

GermanVerb german_verb(const Verb& verb, Tense tense, Modal modal, Agreement agreement) {
  const GermanForms& perfect_auxiliary = verb.uses_sein ? sein() : haben();
  const std::string participle = verb.prefix + verb.german.participle;
  const std::string infinitive = verb.prefix + verb.german.infinitive;
  switch (tense) {
    case Tense::kPresent:
      return {conjugate(verb.german, false, agreement), verb.prefix, true};
    case Tense::kPast:
      return {conjugate(verb.german, true, agreement), verb.prefix, true};
    case Tense::kPerfect:
      return {conjugate(perfect_auxiliary, false, agreement), participle, false};
    case Tense::kPluperfect:
      return {conjugate(perfect_auxiliary, true, agreement), participle, false};
    case Tense::kFuture:
      return {conjugate(werden(), false, agreement), infinitive, false};
    default:
      return {conjugate(modal_forms(modal), tense == Tense::kPastModal, agreement), infinitive, false};
  }
}

std::string infinitive_with_zu(const Verb& verb) {
  return verb.prefix.empty() ? "zu " + verb.german.infinitive : verb.prefix + "zu" + verb.german.infinitive;
}

Slot slot_of(Gender gender, Number number) {
  if (number == Number::kPlural) return Slot::kPlural;
  return static_cast<Slot>(gender);
}

Declension declension_after(Determiner determiner) {
  switch (determiner) {
    case Determiner::kDefinite:
    case Determiner::kOwner:
    case Determiner::kDemonstrative:
    case Determiner::kEvery:
    case Determiner::kWhich:
      return Declension::kWeak;
    case Determiner::kIndefinite:
    case Determiner::kPossessive:
    case Determiner::kNegative:
      return Declension::kMixed;
    default:
      return Declension::kStrong;
  }
}

std::string definite_article(Case grammatical_case, Slot slot) { return look_up(kDefinite, grammatical_case, slot); }

std::string relative_pronoun(Case grammatical_case, Slot slot) {
  if (grammatical_case == Case::kDative && slot == Slot::kPlural) return "denen";
  return definite_article(grammatical_case, slot);
}

std::string der_ending(Case grammatical_case, Slot slot) { return look_up(kDerWord, grammatical_case, slot); }

std::string ein_ending(Case grammatical_case, Slot slot) { return look_up(kEinWord, grammatical_case, slot); }

std::string adjective_ending(Declension declension, Case grammatical_case, Slot slot) {
  switch (declension) {
    case Declension::kWeak:
      return look_up(kWeak, grammatical_case, slot);
    case Declension::kMixed:
      return look_up(kMixed, grammatical_case, slot);
    default:
      return look_up(kStrong, grammatical_case, slot);
  }
}

std::string noun_form(const Noun& noun, Case grammatical_case, Number number) {
  if (number == Number::kPlural) {
    const bool takes_n = grammatical_case == Case::kDative && !ends_with_any(noun.german_plural, {"n", "s"});
    return noun.german_plural + (takes_n ? "n" : "");
  }
  if (grammatical_case == Case::kNominative) return noun.german;
  if (!noun.weak_ending.empty()) return noun.german + noun.weak_ending;
  if (grammatical_case != Case::kGenitive || noun.gender == Gender::kFeminine) return noun.german;
  const bool vowel_last = ends_with_any(noun.german, {"a", "e", "i", "o", "u"});
  return noun.german + (syllables(noun.german) == 1 && !vowel_last ? "es" : "s");
}

}  // namespace mixtape::data::toy

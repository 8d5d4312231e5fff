#pragma once

#include <string>
#include <vector>

#include "data/toy_grammar/lexicon.h"

namespace mixtape::data::toy {

/// Forms of a weak verb from its infinitive: machen, macht, machte, gemacht; öffnen, öffnet, öffnete, geöffnet.
GermanForms weak_verb(const std::string& infinitive);
/// Forms of a strong or mixed verb from its principal parts: lesen liest las gelesen.
GermanForms strong_verb(const std::vector<std::string>& parts);
/// Forms of sein.
const GermanForms& sein();

/// Present (or past, the Praeteritum) of one word.
const std::string& conjugate(const GermanForms& forms, bool past, Agreement agreement);

/// The verb of a finite clause: `liest`, `hat ... gelesen`, `ruft ... an`, `soll ... anrufen`. The finite word is
/// second or first in a main clause and last in a subordinate one; `bracket` is what closes the clause.
struct GermanVerb {
  std::string finite;      ///< without the separable prefix
  std::string bracket;     ///< prefix, participle or infinitive; may be empty
  bool bracket_is_prefix;  ///< then both are one word at the end of a subordinate clause: `anruft`
};
GermanVerb german_verb(const Verb& verb, Tense tense, Modal modal, Agreement agreement);

/// The infinitive with zu: `zu lesen`, `anzurufen`.
std::string infinitive_with_zu(const Verb& verb);

/// A column of the declension tables: three genders, then the plural of all.
enum class Slot { kMasculine, kFeminine, kNeuter, kPlural };
Slot slot_of(Gender gender, Number number);

/// What an adjective has before it: der, dieser, jeder (weak); ein, kein, mein (mixed); nothing, a number, viele
/// (strong).
enum class Declension { kWeak, kMixed, kStrong };
Declension declension_after(Determiner determiner);

/// The definite article: der, die, das, den, dem, des. Also the relative pronoun, but for `denen`.
std::string definite_article(Case grammatical_case, Slot slot);
std::string relative_pronoun(Case grammatical_case, Slot slot);
/// The ending of words that decline like dieser: dies-er, dies-em, jed-en, welch-es, viel-e.
std::string der_ending(Case grammatical_case, Slot slot);
/// The ending of words that decline like ein: ein, ein-en, kein-er, mein-em.
std::string ein_ending(Case grammatical_case, Slot slot);
/// The ending of an adjective: der rot-e Hut, ein rot-er Hut, rot-e Hüte.
std::string adjective_ending(Declension declension, Case grammatical_case, Slot slot);
/// The noun itself: den Büchern, des Lehrers, des Mannes, dem Studenten.
std::string noun_form(const Noun& noun, Case grammatical_case, Number number);

}  // namespace mixtape::data::toy

#include "data/toy_grammar/english_forms.h"

namespace mixtape::data::toy {
namespace {

bool ends_in_sibilant(const std::string& word) {
  return word.ends_with("s") || word.ends_with("x") || word.ends_with("ch") || word.ends_with("sh");
}

bool ends_in_consonant_y(const std::string& word) {
  return word.ends_with("y") && std::string_view("aeiou").find(word[word.size() - 2]) == std::string_view::npos;
}

std::string without_last(const std::string& word) { return word.substr(0, word.size() - 1); }

std::string with_s(const std::string& word) {
  if (ends_in_sibilant(word) || word.ends_with("o")) return word + "es";
  return ends_in_consonant_y(word) ? without_last(word) + "ies" : word + "s";
}

std::string with_ed(const std::string& word) {
  if (word.ends_with("e")) return word + "d";
  return ends_in_consonant_y(word) ? without_last(word) + "ied" : word + "ed";
}

std::string choose(Agreement agreement, const std::string& third, const std::string& other) {
  return agreement == Agreement::kThirdSingular ? third : other;
}

EnglishVerb lexical_verb(const EnglishForms& forms, bool past, Agreement agreement, bool do_support) {
  if (forms.base == "be") return {be_form(past, agreement), ""};
  if (do_support) return {past ? "did" : choose(agreement, "does", "do"), forms.base};
  return {"", past ? forms.past : choose(agreement, forms.third, forms.base)};
}

EnglishVerb modal_verb(const EnglishForms& forms, Modal modal, bool past, Agreement agreement, bool do_support) {
  switch (modal) {
    case Modal::kCan:
      return {past ? "could" : "can", forms.base};
    case Modal::kMay:
      if (past) return {be_form(true, agreement), "allowed to " + forms.base};
      return {"may", forms.base};
    case Modal::kShould:
      return {"should", forms.base};
    case Modal::kMust:
      if (!past) return {"must", forms.base};
      return do_support ? EnglishVerb{"did", "have to " + forms.base} : EnglishVerb{"", "had to " + forms.base};
    default:
      break;
  }
  EnglishVerb want = lexical_verb(regular_verb("want"), past, agreement, do_support);
  want.rest += " to " + forms.base;
  return want;
}

}  // namespace

EnglishForms regular_verb(const std::string& base) { return {base, with_s(base), with_ed(base), with_ed(base)}; }

EnglishForms irregular_verb(const std::vector<std::string>& parts) {
  return {parts[0], parts[0] == "be" ? "is" : with_s(parts[0]), parts[1], parts[2]};
}

std::string regular_plural(const std::string& singular) {
  const bool english_o = singular == "potato" || singular == "tomato";  // but pianos, radios, photos
  return !english_o && singular.ends_with("o") ? singular + "s" : with_s(singular);
}

std::string be_form(bool past, Agreement agreement) {
  if (past) return agreement == Agreement::kPlural ? "were" : "was";
  if (agreement == Agreement::kFirstSingular) return "am";
  return choose(agreement, "is", "are");
}

EnglishVerb english_verb(const Verb& verb, Tense tense, Modal modal, Agreement agreement, bool do_support) {
  const EnglishForms& forms = verb.english;
  switch (tense) {
    case Tense::kPresent:
      return lexical_verb(forms, false, agreement, do_support);
    case Tense::kPast:
      return lexical_verb(forms, true, agreement, do_support);
    case Tense::kPerfect:
      return {choose(agreement, "has", "have"), forms.participle};
    case Tense::kPluperfect:
      return {"had", forms.participle};
    case Tense::kFuture:
      return {"will", forms.base};
    default:
      return modal_verb(forms, modal, tense == Tense::kPastModal, agreement, do_support);
  }
}

}  // namespace mixtape::data::toy

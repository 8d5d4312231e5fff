#include "data/toy_grammar/sentence.h"

namespace mixtape::data::toy {

bool is_question(Construction construction) {
  return construction >= Construction::kYesNoQuestion && construction <= Construction::kWhichQuestion;
}

bool subordinate_stands_first(Construction construction) {
  switch (construction) {
    case Construction::kBecauseFirst:
    case Construction::kAlthoughFirst:
    case Construction::kWhenFirst:
    case Construction::kIfFirst:
    case Construction::kWhileFirst:
    case Construction::kBeforeFirst:
    case Construction::kAfterFirst:
      return true;
    default:
      return false;
  }
}

Agreement agreement_of(const NounPhrase& subject) {
  if (subject.type == NounPhrase::Type::kPronoun) {
    switch (subject.pronoun) {
      case Pronoun::kI:
        return Agreement::kFirstSingular;
      case Pronoun::kWe:
      case Pronoun::kThey:
        return Agreement::kPlural;
      default:
        return Agreement::kThirdSingular;
    }
  }
  return subject.number == Number::kPlural ? Agreement::kPlural : Agreement::kThirdSingular;
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (word.empty()) continue;
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

std::string as_sentence(std::string text, const std::string& end) {
  if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text + end;
}

}  // namespace mixtape::data::toy

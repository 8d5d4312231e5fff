#pragma once

#include <string>
#include <vector>

#include "data/toy_grammar/lexicon.h"

namespace mixtape::data::toy {

/// Forms of a regular verb: visit, visits, visited, visited.
EnglishForms regular_verb(const std::string& base);
/// Forms of a verb from its base, past and participle: write wrote written.
EnglishForms irregular_verb(const std::vector<std::string>& parts);

/// `singular` with the regular plural ending: boxes, libraries, books.
std::string regular_plural(const std::string& singular);

/// A form of be: am, is, are, was, were.
std::string be_form(bool past, Agreement agreement);

/// The verb of a finite clause. What stands before a question's subject, and before `not` and `often`, is `auxiliary`.
struct EnglishVerb {
  std::string auxiliary;  ///< does, has, will, is; empty in `reads`
  std::string rest;       ///< read, written, to read; empty after a lone `is`
};

/// `do_support`: a question or a negated clause, which need an auxiliary.
EnglishVerb english_verb(const Verb& verb, Tense tense, Modal modal, Agreement agreement, bool do_support);

}  // namespace mixtape::data::toy

#pragma once

#include <string>
#include <vector>

namespace mixtape::data {

/// Corpus chrF2 and the numbers that it is made of.
struct ChrfScore {
  double score = 0;      ///< 0 to 100
  double precision = 0;  ///< mean over the lengths of n-gram, 0 to 1
  double recall = 0;     ///< mean over the lengths of n-gram, 0 to 1

  /// One line as sacreBLEU prints it: `chrF2|nrefs:1|... = 62.31`.
  std::string to_string() const;
};

/// chrF2 of a corpus, cased, one reference a sentence, equal to sacreBLEU's default (Popovic 2015, "chrF: character
/// n-gram F-score for automatic MT evaluation"): n-grams of 1 to 6 code points, white space left out, recall counting
/// twice as much as precision; lengths that one of the sides does not have are left out of the means.
///
///   score = 100 * 5 * precision * recall / (4 * precision + recall)
///
/// Throws when the two sides differ in length, hold nothing, or are not UTF-8.
ChrfScore chrf(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references);

/// What was computed, in sacreBLEU's notation: `nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:mixtape`.
std::string chrf_signature();

}  // namespace mixtape::data

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mixtape::data {

/// Corpus BLEU and the numbers that it is made of.
struct BleuScore {
  double score = 0;                    ///< 0 to 100
  std::array<double, 4> precisions{};  ///< of 1- to 4-grams, after smoothing, 0 to 100
  double brevity_penalty = 1;          ///< 0 to 1
  int64_t hypothesis_length = 0;       ///< words
  int64_t reference_length = 0;        ///< words

  /// One line as sacreBLEU prints it: `BLEU|nrefs:1|... = 37.52 70.1/44.9/31.0/21.5 (BP = 1.000 ratio = ...)`.
  std::string to_string() const;
};

/// BLEU of a corpus, cased, one reference a sentence, equal to sacreBLEU's default (Papineni et al. 2002; Post 2018,
/// "A Call for Clarity in Reporting BLEU Scores"): words as mteval-v13a cuts them, and exponential smoothing, which
/// counts the k-th length of n-gram without a match as 1 / 2^k matches.
///
///   score = min(1, exp(1 - reference_length / hypothesis_length)) * exp(mean over n = 1..4 of log(precision n))
///
/// Throws when the two sides differ in length, hold nothing, or are not UTF-8.
BleuScore bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references);

/// What was computed, in sacreBLEU's notation: `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:mixtape`.
std::string bleu_signature();

/// The words of `line` as the BLEU script mteval-v13a of NIST cuts them: ASCII punctuation stands alone, except that
/// `.` and `,` stay inside numbers and a `-` is cut off only after a digit; other scripts' punctuation is not cut.
std::vector<std::string> tokenize_13a(std::string_view line);

}  // namespace mixtape::data

#include "data/bleu.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <unordered_map>

#include "autograd/tensors/error.h"
#include "data/ngrams.h"
#include "data/unicode.h"

namespace mixtape::data {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_stop(char c) { return c == '.' || c == ','; }

/// ASCII punctuation except the apostrophe, the comma, the hyphen and the full stop.
bool is_always_cut(char c) {
  const bool punctuation =
      (c > ' ' && c < '0') || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') || (c > 'z' && c < '\x7f');
  return punctuation && c != '\'' && c != '-' && !is_stop(c);
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (size_t found = text.find(from); found != std::string_view::npos; found = text.find(from)) {
    result.append(text.substr(0, found)).append(to);
    text.remove_prefix(found + from.size());
  }
  return result.append(text);
}

/// Replaces each neighbouring pair of bytes for which matches(first, second), from left to right without overlap, by
/// what join(first, second) gives. All patterns look at ASCII only, so bytes serve as well as code points.
std::string replace_pairs(std::string_view text, auto&& matches, auto&& join) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && matches(text[i], text[i + 1])) {
      result += join(text[i], text[i + 1]);
      ++i;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string_view without_trailing_space(std::string_view text) {
  const std::vector<std::string_view> words = split_words(text);
  if (words.empty()) return {};
  return text.substr(0, static_cast<size_t>(words.back().data() + words.back().size() - text.data()));
}

/// Numbers for words, the same for the same word.
using Vocabulary = std::unordered_map<std::string, char32_t>;

std::u32string to_numbers(const std::vector<std::string>& words, Vocabulary& vocabulary) {
  std::u32string numbers;
  for (const std::string& word : words) {
    numbers.push_back(vocabulary.try_emplace(word, static_cast<char32_t>(vocabulary.size())).first->second);
  }
  return numbers;
}

/// Fills precisions and score; counts[n - 1] are those of the n-grams of the corpus.
void score_counts(const std::array<NgramCounts, 4>& counts, BleuScore& bleu) {
  if (std::ranges::all_of(counts, [](const NgramCounts& count) { return count.matched == 0; })) return;
  double smoothing = 1;
  double log_sum = 0;
  for (size_t n = 0; n < counts.size(); ++n) {
    if (counts[n].hypothesis == 0) return;
    double matched = static_cast<double>(counts[n].matched);
    if (counts[n].matched == 0) matched = 1 / (smoothing *= 2);
    bleu.precisions[n] = 100 * matched / static_cast<double>(counts[n].hypothesis);
    log_sum += std::log(bleu.precisions[n]);
  }
  bleu.score = bleu.brevity_penalty * std::exp(log_sum / static_cast<double>(counts.size()));
}

double brevity_penalty(int64_t hypothesis_length, int64_t reference_length) {
  if (hypothesis_length >= reference_length) return 1;
  if (hypothesis_length == 0) return 0;
  return std::exp(1 - static_cast<double>(reference_length) / static_cast<double>(hypothesis_length));
}

}  // namespace

std::vector<std::string> tokenize_13a(std::string_view line) {
  std::string text(without_trailing_space(line));
  text = replace_all(text, "<skipped>", "");
  text = replace_all(text, "-\n", "");
  text = replace_all(text, "\n", " ");
  text = replace_all(text, "&quot;", "\"");
  text = replace_all(text, "&amp;", "&");
  text = replace_all(text, "&lt;", "<");
  text = replace_all(text, "&gt;", ">");

  std::string spaced = " ";
  for (const char c : text) is_always_cut(c) ? spaced.append({' ', c, ' '}) : spaced.append({c});
  spaced += ' ';

  auto stop_after_other = [](char a, char b) { return !is_digit(a) && is_stop(b); };
  auto stop_before_other = [](char a, char b) { return is_stop(a) && !is_digit(b); };
  auto hyphen_after_digit = [](char a, char b) { return is_digit(a) && b == '-'; };
  auto space_around_second = [](char a, char b) { return std::string{a, ' ', b, ' '}; };
  auto space_around_first = [](char a, char b) { return std::string{' ', a, ' ', b}; };
  spaced = replace_pairs(spaced, stop_after_other, space_around_second);
  spaced = replace_pairs(spaced, stop_before_other, space_around_first);
  spaced = replace_pairs(spaced, hyphen_after_digit, space_around_second);

  const std::vector<std::string_view> words = split_words(spaced);
  return {words.begin(), words.end()};
}

BleuScore bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references) {
  if (hypotheses.size() != references.size()) {
    fail(fmt::format("bleu: {} hypotheses, but {} references", hypotheses.size(), references.size()));
  }
  if (hypotheses.empty()) fail("bleu: there are no sentences");

  BleuScore result;
  std::array<NgramCounts, 4> counts;
  Vocabulary vocabulary;
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    const std::u32string hypothesis = to_numbers(tokenize_13a(hypotheses[i]), vocabulary);
    const std::u32string reference = to_numbers(tokenize_13a(references[i]), vocabulary);
    result.hypothesis_length += std::ssize(hypothesis);
    result.reference_length += std::ssize(reference);
    for (size_t n = 0; n < counts.size(); ++n) {
      counts[n] += count_ngrams(hypothesis, reference, static_cast<int64_t>(n + 1));
    }
  }
  result.brevity_penalty = brevity_penalty(result.hypothesis_length, result.reference_length);
  score_counts(counts, result);
  return result;
}

std::string bleu_signature() { return "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:mixtape"; }

std::string BleuScore::to_string() const {
  const double ratio =
      reference_length == 0 ? 0 : static_cast<double>(hypothesis_length) / static_cast<double>(reference_length);
  return fmt::format("BLEU|{} = {:.2f} {:.1f} (BP = {:.3f} ratio = {:.3f} hyp_len = {} ref_len = {})", bleu_signature(),
                     score, fmt::join(precisions, "/"), brevity_penalty, ratio, hypothesis_length, reference_length);
}

}  // namespace mixtape::data

#include "data/ngrams.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

namespace mixtape::data {
namespace {

std::vector<std::u32string_view> sorted_ngrams(std::u32string_view symbols, size_t length) {
  std::vector<std::u32string_view> ngrams;
  for (size_t i = 0; i + length <= symbols.size(); ++i) ngrams.push_back(symbols.substr(i, length));
  std::ranges::sort(ngrams);
  return ngrams;
}

}  // namespace

NgramCounts& NgramCounts::operator+=(const NgramCounts& other) {
  hypothesis += other.hypothesis;
  reference += other.reference;
  matched += other.matched;
  return *this;
}

NgramCounts count_ngrams(std::u32string_view hypothesis, std::u32string_view reference, int64_t length) {
  const auto in_hypothesis = sorted_ngrams(hypothesis, static_cast<size_t>(length));
  const auto in_reference = sorted_ngrams(reference, static_cast<size_t>(length));
  std::vector<std::u32string_view> shared;
  std::ranges::set_intersection(in_hypothesis, in_reference, std::back_inserter(shared));
  return {std::ssize(in_hypothesis), std::ssize(in_reference), std::ssize(shared)};
}

}  // namespace mixtape::data

#pragma once

#include <cstdint>
#include <string_view>

namespace mixtape::data {

/// How many n-grams of one length two sequences have, and how many they share, each counted at most as often as it
/// occurs in either ("clipped").
struct NgramCounts {
  int64_t hypothesis = 0, reference = 0, matched = 0;

  NgramCounts& operator+=(const NgramCounts& other);
};

/// Compares the n-grams of `length` symbols (code points, or numbers that stand for words). length >= 1.
NgramCounts count_ngrams(std::u32string_view hypothesis, std::u32string_view reference, int64_t length);

}  // namespace mixtape::data

#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mixtape::data::toy {

/// Random numbers that are the same with every compiler and library: splitmix64 (Steele, Lea, Flood 2014, "Fast
/// Splittable Pseudorandom Number Generators").
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  /// 0 to n - 1.
  int64_t below(int64_t n) { return static_cast<int64_t>(next() % static_cast<uint64_t>(n)); }
  /// `first` to `last`, both included.
  int64_t between(int64_t first, int64_t last) { return first + below(last - first + 1); }
  /// True in `percent` of 100 cases.
  bool chance(int64_t percent) { return below(100) < percent; }

  template <typename T>
  const T& pick(const std::vector<T>& choices) {
    return choices[static_cast<size_t>(below(static_cast<int64_t>(choices.size())))];
  }

  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<size_t>(below(static_cast<int64_t>(i)))]);
    }
  }

 private:
  uint64_t state_;
};

}  // namespace mixtape::data::toy

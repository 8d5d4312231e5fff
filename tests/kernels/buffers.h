#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace mixtape::tests {

using Extents = std::vector<int64_t>;

inline int64_t elements(const Extents& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

/// What tests of kernels use for T unless they say otherwise: the error allowed relative to the size of the numbers.
template <class T>
inline constexpr double kTolerance = sizeof(T) == 4 ? 1e-6 : 1e-12;

template <class T>
inline constexpr T kInfinity = std::numeric_limits<T>::infinity();
template <class T>
inline constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();

/// `n` elements that start `offset` elements after a 64-byte boundary, between guards that notice what is written
/// outside. Elements start as a value that no kernel produces.
template <class T>
class Guarded {
 public:
  explicit Guarded(int64_t n, int64_t offset = 0)
      : n_(n), memory_(static_cast<size_t>(n + offset + 2 * kGuard + kAlign), unwritten()) {
    const auto address = reinterpret_cast<uintptr_t>(memory_.data() + kGuard);
    start_ = kGuard + static_cast<int64_t>((64 - address % 64) % 64 / sizeof(T)) + offset;
  }
  Guarded(const std::vector<T>& values, int64_t offset) : Guarded(static_cast<int64_t>(values.size()), offset) {
    std::copy(values.begin(), values.end(), data());
  }

  static constexpr T unwritten() { return static_cast<T>(-54321); }
  T* data() { return memory_.data() + start_; }
  int64_t size() const { return n_; }
  std::vector<T> values() { return {data(), data() + n_}; }
  /// True if nothing before or after the elements was written.
  bool intact() const {
    for (int64_t i = 0; i < static_cast<int64_t>(memory_.size()); ++i) {
      const bool inside = i >= start_ && i < start_ + n_;
      if (!inside && memory_[static_cast<size_t>(i)] != unwritten()) return false;
    }
    return true;
  }

 private:
  static constexpr int64_t kGuard = 40;  // more than two of the widest vectors
  static constexpr int64_t kAlign = 64 / static_cast<int64_t>(sizeof(T));
  int64_t n_;
  std::vector<T> memory_;
  int64_t start_;
};

/// 0 to just past two of the widest vectors, then some larger and odd ones.
inline std::vector<int64_t> sizes() {
  std::vector<int64_t> all;
  for (int64_t n = 0; n <= 35; ++n) all.push_back(n);
  all.insert(all.end(), {63, 64, 65, 127, 130, 257, 1001});
  return all;
}

/// Numbers in [low, high), a function of the seed.
template <class T>
std::vector<T> random_values(int64_t n, uint64_t seed, double low = -1, double high = 1) {
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<double> draw(low, high);
  std::vector<T> values(static_cast<size_t>(n));
  for (T& value : values) value = static_cast<T>(draw(generator));
  return values;
}

/// "" if got[i] = want[i] within relative |want[i]| + absolute for all i, infinities and NaN being equal to themselves
/// only; else the first place where it is not.
template <class T, class Want>
std::string difference(const std::vector<T>& got, const std::vector<Want>& want, double relative, double absolute) {
  if (got.size() != want.size()) return std::to_string(got.size()) + " instead of " + std::to_string(want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const auto g = static_cast<long double>(got[i]), w = static_cast<long double>(want[i]);
    if (std::isnan(g) && std::isnan(w)) continue;
    if (g == w || std::fabs(g - w) <= static_cast<long double>(relative) * std::fabs(w) + absolute) continue;
    return "element " + std::to_string(i) + " is " + std::to_string(g) + ", not " + std::to_string(w) + ", off by " +
           std::to_string(static_cast<double>((g - w) / kTolerance<T>)) + " tolerances";
  }
  return "";
}
template <class T, class Want>
std::string difference(const std::vector<T>& got, const std::vector<Want>& want) {
  return difference(got, want, kTolerance<T>, kTolerance<T>);
}

}  // namespace mixtape::tests

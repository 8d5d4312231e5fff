#include "examples/common/format.h"

#include <fmt/format.h>

#include <cmath>

namespace mixtape::examples {

std::string format_duration(double seconds) {
  constexpr double kLongest = 1e9;
  if (!std::isfinite(seconds) || seconds < 0 || seconds > kLongest) return "-:--";
  const int64_t whole = std::llround(seconds);
  const int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string format_count(int64_t value) {
  std::string digits = fmt::format("{}", value);
  const size_t first_digit = value < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > first_digit + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string format_value(double value) {
  constexpr double kLargest = 1e15;
  const double size = std::abs(value);
  if (!std::isfinite(value) || size > kLargest || (size < 1e-3 && value != 0)) return fmt::format("{:.2g}", value);
  if (size >= 999.95) return format_count(std::llround(value));
  return fmt::format("{:.4g}", value);
}

}  // namespace mixtape::examples

#pragma once

#include <cstdint>
#include <string>

namespace mixtape::examples {

/// A duration, rounded to whole seconds: `0:07`, `1:23`, `1:02:03`; `-:--` if it is negative or not finite.
std::string format_duration(double seconds);

/// A whole number with thousands separators: `1,234,567`.
std::string format_count(int64_t value);

/// A measured value in about four significant digits: `0.8123`, `93.41`, `8,412`, `1.2e-05`; `nan` and `inf` as such.
std::string format_value(double value);

}  // namespace mixtape::examples

#include "examples/common/ticks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "examples/common/format.h"

namespace mixtape::examples {
namespace {

/// The smallest of 1, 2, 5, 10 times a power of ten that is at least `spacing`.
double round_up_spacing(double spacing) {
  const double power = std::pow(10.0, std::floor(std::log10(spacing)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= spacing * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

std::vector<double> powers_of_ten(double low, double high, const std::vector<double>& factors, int every) {
  std::vector<double> ticks;
  const int first = static_cast<int>(std::floor(std::log10(low))), last = static_cast<int>(std::ceil(std::log10(high)));
  for (int exponent = first; exponent <= last; ++exponent) {
    if (exponent % every != 0) continue;
    for (const double factor : factors) {
      const double tick = exponent < 0 ? factor / std::pow(10.0, -exponent) : factor * std::pow(10.0, exponent);
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push_back(tick);
    }
  }
  return ticks;
}

}  // namespace

std::vector<double> nice_ticks(double low, double high, int64_t count) {
  constexpr double kRatherMore = 0.7;  // up to 1 / 0.7 times `count` ticks rather than half as many
  const double spacing =
      round_up_spacing(kRatherMore * (high - low) / static_cast<double>(std::max<int64_t>(count, 1)));
  std::vector<double> ticks;
  for (double index = std::ceil(low / spacing - 1e-9); index * spacing <= high + 1e-9 * spacing; ++index) {
    const double tick = spacing < 1 ? index / std::round(1 / spacing) : index * spacing;
    ticks.push_back(tick == 0 ? 0 : tick);  // no minus zero
  }
  return ticks;
}

std::vector<double> nice_log_ticks(double low, double high, int64_t count) {
  const double decades = std::log10(high / low);
  if (decades < 0.8) return nice_ticks(low, high, count);
  if (decades < 1.5) return powers_of_ten(low, high, {1, 2, 5}, 1);
  if (decades < 2.5) return powers_of_ten(low, high, {1, 3}, 1);
  const int every =
      std::max(1, static_cast<int>(std::ceil(decades / static_cast<double>(std::max<int64_t>(count, 1)))));
  return powers_of_ten(low, high, {1}, every);
}

std::string tick_label(double value, double spacing) {
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size < 1e-3) return fmt::format("{:.3g}", value);
  if (size >= 1e6) return fmt::format("{:.6g}M", value / 1e6);
  if (spacing >= 1) return format_count(std::llround(value));
  const int decimals = std::min(9, static_cast<int>(std::ceil(-std::log10(spacing) - 1e-9)));
  return fmt::format("{:.{}f}", value, decimals);
}

}  // namespace mixtape::examples

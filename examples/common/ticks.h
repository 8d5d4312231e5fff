#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mixtape::examples {

/// Round numbers (1, 2 or 5 times a power of ten apart) within [low, high], about `count` of them. Needs finite low <
/// high.
std::vector<double> nice_ticks(double low, double high, int64_t count);

/// The same for a logarithmic axis: powers of ten within [low, high], with 2 and 5 times them where those are few;
/// thinned to about `count` if the range is wide. Falls back to nice_ticks for a narrow range. Needs finite 0 < low <
/// high.
std::vector<double> nice_log_ticks(double low, double high, int64_t count);

/// The label of a tick, with as many digits as ticks `spacing` apart need: `0.25`, `2,000`, `1.2M`, `2e-05`.
std::string tick_label(double value, double spacing);

}  // namespace mixtape::examples

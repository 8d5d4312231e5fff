#pragma once

#include <cstdint>
#include <vector>

namespace mixtape::examples {

/// One measured value: y at x.
struct Point {
  double x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

/// At most about `limit` of the points (at least 4): of each run of neighbours the lowest and the highest, in order,
/// and both ends, so that spikes and envelope stay. Fewer points come back as they are.
std::vector<Point> thin(const std::vector<Point>& points, int64_t limit);

/// Each y replaced by the mean of its neighbours within `half_window` points on both sides. Towards the ends the window
/// shrinks evenly, so that a trend is not bent, down to a quarter of its size, so that the last value is not all noise.
std::vector<Point> smooth(const std::vector<Point>& points, int64_t half_window);

}  // namespace mixtape::examples

#pragma once

#include <cstdint>
#include <vector>

namespace mixtape::examples {

/// One measured value: y at x.
struct Point {
  double x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

/// At most about `limit` (at least 4) of the points: both ends, and the lowest and highest of each run of adjacent
/// points, in order, which preserves spikes and the envelope. Fewer points are returned unchanged.
std::vector<Point> thin(const std::vector<Point>& points, int64_t limit);

/// Each y replaced by the mean of the points within `half_window` on both sides. Towards the ends the window shrinks
/// symmetrically, so that a trend is not biased, but to no less than a quarter, so that the last value is not just
/// noise.
std::vector<Point> smooth(const std::vector<Point>& points, int64_t half_window);

}  // namespace mixtape::examples

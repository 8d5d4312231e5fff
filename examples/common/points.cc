#include "examples/common/points.h"

#include <algorithm>

namespace mixtape::examples {

std::vector<Point> thin(const std::vector<Point>& points, int64_t limit) {
  limit = std::max<int64_t>(limit, 4);
  const int64_t count = std::ssize(points);
  if (count <= limit) return points;
  const auto lower = [](const Point& a, const Point& b) { return a.y < b.y; };
  const int64_t buckets = limit / 2 - 1;  // two points each, between the two ends
  std::vector<Point> thinned = {points.front()};
  for (int64_t bucket = 0; bucket < buckets; ++bucket) {
    const auto begin = points.begin() + 1 + bucket * (count - 2) / buckets;
    const auto end = points.begin() + 1 + (bucket + 1) * (count - 2) / buckets;
    auto [first, second] = std::minmax_element(begin, end, lower);
    if (second < first) std::swap(first, second);
    thinned.push_back(*first);
    if (second != first) thinned.push_back(*second);
  }
  thinned.push_back(points.back());
  return thinned;
}

std::vector<Point> smooth(const std::vector<Point>& points, int64_t half_window) {
  std::vector<double> sums = {0};
  for (const Point& point : points) sums.push_back(sums.back() + point.y);
  std::vector<Point> smoothed;
  const int64_t count = std::ssize(points);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t reach = std::max(half_window / 4, std::min({half_window, i, count - 1 - i}));
    const int64_t begin = std::max<int64_t>(0, i - reach), end = std::min(count, i + reach + 1);
    const double sum = sums[static_cast<size_t>(end)] - sums[static_cast<size_t>(begin)];
    smoothed.push_back({points[static_cast<size_t>(i)].x, sum / static_cast<double>(end - begin)});
  }
  return smoothed;
}

}  // namespace mixtape::examples

#include "examples/common/points.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace mixtape::examples;

namespace {

std::vector<Point> wave(int64_t count) {
  std::vector<Point> points;
  for (int64_t i = 0; i < count; ++i) points.push_back({static_cast<double>(i), std::sin(static_cast<double>(i * i))});
  return points;
}

}  // namespace

TEST_CASE("thin: few enough points, in order, from the input, with ends and spikes") {
  for (const int64_t count : {0, 1, 4, 100, 101, 999, 10000}) {
    CAPTURE(count);
    std::vector<Point> points = wave(count);
    if (count > 700) points[static_cast<size_t>(count / 3)].y = 50;
    const std::vector<Point> kept = thin(points, 100);
    CHECK(std::ssize(kept) <= 100);
    CHECK(std::ssize(kept) >= std::min<int64_t>(count, 51));
    CHECK(std::is_sorted(kept.begin(), kept.end(), [](const Point& a, const Point& b) { return a.x < b.x; }));
    for (const Point& point : kept) CHECK(std::find(points.begin(), points.end(), point) != points.end());
    if (count > 0) CHECK(kept.front() == points.front());
    if (count > 0) CHECK(kept.back() == points.back());
    if (count > 700) CHECK(std::any_of(kept.begin(), kept.end(), [](const Point& point) { return point.y == 50; }));
  }
}

TEST_CASE("thin: a tiny limit still gives the ends") { CHECK(thin(wave(50), 0).size() == 4); }

TEST_CASE("smooth: means of neighbours") {
  const std::vector<Point> points = {{0, 0}, {1, 3}, {2, 0}, {3, 6}, {4, 0}};
  const std::vector<Point> expected = {{0, 0}, {1, 1}, {2, 3}, {3, 2}, {4, 0}};
  CHECK(smooth(points, 1) == expected);
  CHECK(smooth(points, 0) == points);
  CHECK(smooth({}, 3).empty());
}

TEST_CASE("smooth: a straight line stays straight away from the ends, which keep a quarter window") {
  std::vector<Point> line;
  for (int i = 0; i < 50; ++i) line.push_back({static_cast<double>(i), 2.0 * i});
  const std::vector<Point> smoothed = smooth(line, 8);
  for (size_t i = 2; i < 48; ++i) CHECK(smoothed[i].y == doctest::Approx(line[i].y));
  CHECK(smoothed[0].y == doctest::Approx(2));
  CHECK(smoothed[49].y == doctest::Approx(96));
}

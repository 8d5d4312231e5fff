#include "examples/common/chart.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/tensors/error.h"
#include "tests/text.h"

using namespace mixtape;
using namespace mixtape::tests;
using namespace mixtape::examples;

namespace {

/// The x y pairs of the first path of class `curve`.
std::vector<Point> drawn_points(const std::string& svg) {
  const size_t start = svg.find("d=\"", svg.find("class=\"curve\"")) + 3;
  const std::string data = svg.substr(start, svg.find('"', start) - start);
  std::vector<Point> points;
  for (const auto& match : tests::matches_of("[ML](-?[0-9.]+) (-?[0-9.]+)", data)) {
    points.push_back({std::stod(match[1]), std::stod(match[2])});
  }
  return points;
}

}  // namespace

TEST_CASE("line_chart: larger values are drawn higher and further right, inside the drawing") {
  const std::string svg =
      line_chart({.title = "t", .y_label = "y", .series = {{"s", {{0, 1}, {10, 2}, {20, 4}}}}}).markup;
  const std::vector<Point> points = drawn_points(svg);
  REQUIRE(points.size() == 3);
  CHECK(points[0].x < points[1].x);
  CHECK(points[1].x - points[0].x == doctest::Approx(points[2].x - points[1].x).epsilon(0.01));
  CHECK(points[1].y - points[2].y == doctest::Approx(2 * (points[0].y - points[1].y)).epsilon(0.01));
  for (const Point& point : points) {
    CHECK(point.x > 60);
    CHECK(point.x < 560);
    CHECK(point.y > 20);
    CHECK(point.y < 260);
  }
}

TEST_CASE("line_chart: on a log axis equal ratios are equal heights, values that have no logarithm are left out") {
  const std::string svg =
      line_chart(
          {.title = "t", .series = {{"s", {{0, 1}, {1, 10}, {2, 100}, {3, 0}, {4, -5}, {5, NAN}}}}, .log_y = true})
          .markup;
  const std::vector<Point> points = drawn_points(svg);
  REQUIRE(points.size() == 3);
  CHECK(points[0].y - points[1].y == doctest::Approx(points[1].y - points[2].y).epsilon(0.01));
  CHECK(contains(svg, "(log)"));
}

TEST_CASE("line_chart: a logarithmic x axis, and a chart as a file of its own") {
  const LineChart chart{.title = "a & b",
                        .x_label = "n",
                        .y_label = "ms",
                        .series = {{"one", {{0, 5}, {10, 1}, {100, 2}, {1000, 4}}}, {"two", {{10, 3}}}},
                        .log_x = true,
                        .log_y = true};
  const std::string svg = line_chart_svg(chart);
  CHECK(svg.starts_with("<svg xmlns="));
  CHECK(contains(svg, "a &amp; b"));
  CHECK(contains(svg, ">two</text>"));
  CHECK(contains(svg, "--s0:"));
  const auto dots = tests::matches_of("<circle cx=\"([0-9.]+)\"", svg);
  REQUIRE(dots.size() == 4);  // not the one at 0
  const double left = std::stod(dots[0][1]), middle = std::stod(dots[1][1]), right = std::stod(dots[2][1]);
  CHECK(middle - left == doctest::Approx(right - middle).epsilon(0.01));
  CHECK_THROWS_WITH_AS(line_chart_svg({.title = "t", .series = {}}), "chart: t has no values", Error);
}

TEST_CASE("line_chart: thousands of points are thinned, smoothed over a faint raw curve") {
  Series series = {"loss", {}, true};
  for (int i = 0; i < 100000; ++i) series.points.push_back({static_cast<double>(i), std::sin(i * 12.9898) + 5});
  const std::string svg = line_chart({.title = "t", .series = {series}}).markup;
  CHECK(svg.size() < 80000);
  CHECK(occurrences(svg, "class=\"raw\"") == 1);
  const std::vector<Point> points = drawn_points(svg);
  double lowest = 1e9, highest = -1e9;
  for (const Point& point : points) {
    lowest = std::min(lowest, point.y);
    highest = std::max(highest, point.y);
  }
  CHECK(points.size() > 300);
  CHECK(highest - lowest < 20);
}

TEST_CASE("line_chart: legend, tooltips and a spoken summary, all escaped") {
  const std::string svg =
      line_chart(
          {.title = "a & b", .y_label = "<nats>", .series = {{"train <1>", {{0, 5}, {10, 3}}}, {"val", {{10, 4}}}}})
          .markup;
  CHECK(occurrences(svg, "class=\"key\"") == 2);
  CHECK(contains(svg, "data-tip=\"step 10\ntrain &lt;1&gt;: 3\nval: 4\""));
  CHECK(contains(svg, "data-tip=\"step 0\ntrain &lt;1&gt;: 5\""));
  CHECK(contains(
      svg, "aria-label=\"a &amp; b: &lt;nats&gt; by step. train &lt;1&gt;: 5 at 0, 3 at 10. val: 4 at 10, 4 at 10.\""));
  CHECK(!contains(svg, "<nats>"));
}

TEST_CASE("line_chart: no points, one point, equal points") {
  CHECK(contains(line_chart({.title = "t", .series = {}}).markup, "No values yet."));
  CHECK(contains(line_chart({.title = "t", .series = {{"s", {{1, NAN}}}}}).markup, "No values yet."));
  for (const double value : {0.0, 5.0, -3e9}) {
    for (const bool log : {false, true}) {
      if (log && value <= 0) continue;
      const std::string svg =
          line_chart({.title = "t", .series = {{"s", {{3, value}, {4, value}}}}, .log_y = log}).markup;
      CHECK(drawn_points(svg).size() == 2);
      CHECK(tests::matches_of("[ \">M-](nan|inf)[ \"<]", svg).empty());
      CHECK(occurrences(svg, "text-anchor=\"end\"") >= 1);
    }
  }
}

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/common/html.h"
#include "examples/common/points.h"

namespace mixtape::examples {

/// One curve of a chart. Points are in order of x; those that are not finite (or not above 0 on a log axis) are left
/// out.
struct Series {
  std::string name;
  std::vector<Point> points;
  bool smooth = false;  ///< a smoothed curve over the faint raw one, for noisy values such as a training loss
};

/// A line chart; `y_label` and `x_label` name the values and their units.
struct LineChart {
  std::string title;
  std::string x_label = "step";
  std::string y_label = {};
  std::vector<Series> series;
  bool log_x = false;
  bool log_y = false;
};

/// The chart as inline SVG, with a legend if there are several series, to stand in an html_page: it fits its width,
/// shows the values under the pointer, and says first and last value of each series to screen readers. Thousands of
/// points are thinned to what can be seen. Without any point it says so.
Html line_chart(const LineChart& chart);

/// The same as an SVG file of its own, with title and legend, for light and dark pages.
std::string line_chart_svg(const LineChart& chart);

}  // namespace mixtape::examples

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/common/html.h"
#include "examples/common/points.h"

namespace mixtape::examples {

/// One curve of a chart. Points are in order of x; those that are not finite (or not positive, on a log axis) are
/// omitted.
struct Series {
  std::string name;
  std::vector<Point> points;
  bool smooth = false;  ///< draw a smoothed curve over the faint raw one, for noisy values such as a training loss
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

/// The chart as inline SVG for an html_page, with a legend if there are several series. It fits the page's width, shows
/// the values under the pointer, and has a text with the first and last values for screen readers. Long series are
/// thinned to what is visible. A chart without points says so.
Html line_chart(const LineChart& chart);

/// The same as a separate SVG file, with title and legend, for light and dark pages.
std::string line_chart_svg(const LineChart& chart);

}  // namespace mixtape::examples

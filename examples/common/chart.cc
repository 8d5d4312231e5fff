#include "examples/common/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "autograd/tensors/error.h"
#include "examples/common/format.h"
#include "examples/common/page_style.h"
#include "examples/common/ticks.h"

namespace mixtape::examples {
namespace {

constexpr double kWidth = 560, kHeight = 306;
constexpr double kLeft = 70, kRight = 24, kTop = 26, kBottom = 52;
constexpr int64_t kColours = 6;
constexpr int64_t kMostPoints = 1000;      // about two per unit of width
constexpr int64_t kMostHoverPlaces = 140;  // strips that show their values
constexpr int64_t kFewPoints = 40;         // up to this number each point gets a dot

/// Maps values to coordinates: linear or logarithmic, over a range that is never empty.
struct Axis {
  double low, high, start, end;
  bool log = false;

  double position(double value) const {
    const double part = log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return start + part * (end - start);
  }
};

std::vector<Series> drawable(const LineChart& chart) {
  std::vector<Series> drawn = chart.series;
  for (Series& series : drawn) {
    std::erase_if(series.points, [&](const Point& point) {
      return !std::isfinite(point.x) || !std::isfinite(point.y) || (chart.log_y && point.y <= 0) ||
             (chart.log_x && point.x <= 0);
    });
  }
  return drawn;
}

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  bool empty() const { return low > high; }
};

Range range_of(const std::vector<Series>& all, double Point::*coordinate) {
  Range range;
  for (const Series& series : all) {
    for (const Point& point : series.points) {
      range.low = std::min(range.low, point.*coordinate);
      range.high = std::max(range.high, point.*coordinate);
    }
  }
  return range;
}

Axis x_axis(Range range, bool log) {
  if (log) return {range.low, std::max(range.high, range.low * 1.05), kLeft, kWidth - kRight, true};
  if (range.high - range.low <= 1e-9 * std::abs(range.high)) range = {range.low - 1, range.high + 1};
  const bool from_zero = range.low >= 0 && range.low < 0.1 * range.high;
  return {from_zero ? 0 : range.low, range.high, kLeft, kWidth - kRight};
}

Axis y_axis(Range range, bool log) {
  constexpr double kMargin = 0.05;
  const double bottom = kHeight - kBottom;
  if (log) {
    const double factor = std::max(std::pow(range.high / range.low, kMargin), 1.05);
    return {range.low / factor, range.high * factor, bottom, kTop, true};
  }
  double margin = (range.high - range.low) * kMargin;
  if (margin <= 1e-9 * std::abs(range.high)) margin = std::max(std::abs(range.high) * 0.1, 1e-6);
  const bool from_zero = range.low >= 0 && range.low - 4 * margin <= 0;
  return {from_zero ? 0 : range.low - margin, range.high + margin, bottom, kTop};
}

std::vector<double> ticks_of(const Axis& axis) {
  return axis.log ? nice_log_ticks(axis.low, axis.high, 5) : nice_ticks(axis.low, axis.high, 5);
}

/// The distance between adjacent ticks, for their digits.
double spacing_at(const Axis& axis, const std::vector<double>& ticks, double tick) {
  const double common = ticks.size() > 1 ? ticks[1] - ticks[0] : axis.high - axis.low;
  return axis.log ? std::min(common, std::pow(10.0, std::floor(std::log10(tick)))) : common;
}

std::string x_ticks(const Axis& axis) {
  std::string svg;
  const std::vector<double> ticks = ticks_of(axis);
  for (const double tick : ticks) {
    const double spacing = spacing_at(axis, ticks, tick);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", axis.position(tick),
                       kHeight - kBottom + 22, tick_label(tick, spacing));
  }
  return svg;
}

std::string y_ticks(const Axis& axis) {
  std::string svg;
  const std::vector<double> ticks = ticks_of(axis);
  for (const double tick : ticks) {
    const double y = axis.position(tick), spacing = spacing_at(axis, ticks, tick);
    svg += fmt::format(
        "<path class=\"rule\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\" dominant-baseline=\"central\">{}</text>\n",
        kLeft, y, kWidth - kRight, kLeft - 7, y, tick_label(tick, spacing));
  }
  return svg;
}

std::string path_data(const std::vector<Point>& points, const Axis& x, const Axis& y) {
  std::string data;
  for (const Point& point : points) {
    data += fmt::format("{}{:.1f} {:.1f}", data.empty() ? 'M' : 'L', x.position(point.x), y.position(point.y));
  }
  return data;
}

/// The smoothed curve. On a log axis it is the mean of the logarithms, so that a spike does not raise the points around
/// it.
std::vector<Point> trend(std::vector<Point> points, bool log) {
  const int64_t half_window = std::max<int64_t>(2, std::ssize(points) / 80);
  if (log) std::for_each(points.begin(), points.end(), [](Point& point) { point.y = std::log(point.y); });
  points = smooth(smooth(points, half_window), half_window);
  if (log) std::for_each(points.begin(), points.end(), [](Point& point) { point.y = std::exp(point.y); });
  return points;
}

std::string curve(const Series& series, int64_t colour, const Axis& x, const Axis& y) {
  const std::string stroke = fmt::format("stroke=\"var(--s{})\"", colour);
  const int64_t count = std::ssize(series.points);
  const bool smoothed = series.smooth && count > kFewPoints;
  std::string svg;
  if (smoothed) {
    svg +=
        fmt::format("<path class=\"raw\" {} d=\"{}\"/>\n", stroke, path_data(thin(series.points, kMostPoints), x, y));
  }
  const std::vector<Point> points = smoothed ? trend(series.points, y.log) : series.points;
  svg += fmt::format("<path class=\"curve\" {} d=\"{}\"/>\n", stroke, path_data(thin(points, kMostPoints), x, y));
  for (size_t i = 0; count <= kFewPoints && i < points.size(); ++i) {
    svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"var(--s{})\"/>", x.position(points[i].x),
                       y.position(points[i].y), colour);
  }
  return svg;
}

/// The point of the series that is nearest to x.
std::optional<Point> nearest(const Series& series, double x) {
  if (series.points.empty()) return std::nullopt;
  const auto after = std::lower_bound(series.points.begin(), series.points.end(), x,
                                      [](const Point& point, double value) { return point.x < value; });
  if (after == series.points.begin()) return *after;
  if (after == series.points.end() || x - (after - 1)->x < after->x - x) return *(after - 1);
  return *after;
}

std::vector<double> hover_places(const std::vector<Series>& all) {
  std::vector<double> places;
  for (const Series& series : all) {
    for (const Point& point : series.points) places.push_back(point.x);
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  const auto every = static_cast<size_t>((std::ssize(places) + kMostHoverPlaces - 1) / kMostHoverPlaces);
  std::vector<double> thinned;
  for (size_t i = 0; i < places.size(); i += every) thinned.push_back(places[i]);
  if (!places.empty() && thinned.back() != places.back()) thinned.push_back(places.back());
  return thinned;
}

/// The text under the pointer at x, with the series that have a point nearby.
std::string hover_text(const LineChart& chart, const std::vector<Series>& all, double x, double reach) {
  std::string text = fmt::format("{} {}", chart.x_label, format_value(x));
  for (const Series& series : all) {
    const std::optional<Point> point = nearest(series, x);
    if (point && std::abs(point->x - x) <= reach) text += fmt::format("\n{}: {}", series.name, format_value(point->y));
  }
  return escape_html(text);
}

/// A transparent strip for each place, up to half-way to the next ones.
std::string hover_strips(const LineChart& chart, const std::vector<Series>& all, const Axis& x) {
  const std::vector<double> places = hover_places(all);
  std::string svg;
  for (size_t i = 0; i < places.size(); ++i) {
    const double left = i == 0 ? kLeft : x.position((places[i - 1] + places[i]) / 2);
    const double right = i + 1 == places.size() ? kWidth - kRight : x.position((places[i] + places[i + 1]) / 2);
    const double gap_left = i == 0 ? 0 : places[i] - places[i - 1];
    const double gap_right = i + 1 == places.size() ? gap_left : places[i + 1] - places[i];
    svg += fmt::format("<rect class=\"hit\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" data-tip=\"{}\"/>\n",
                       left, kTop, right - left, kHeight - kTop - kBottom,
                       hover_text(chart, all, places[i], std::max(gap_left, gap_right) / 2));
  }
  return svg;
}

std::string legend(const std::vector<Series>& all) {
  if (all.size() < 2) return "";
  std::string html;
  for (int64_t i = 0; i < std::ssize(all); ++i) {
    html += fmt::format("<span class=\"key\"><i style=\"background:var(--s{})\"></i>{}</span>", i % kColours,
                        escape_html(all[static_cast<size_t>(i)].name));
  }
  return html;
}

std::string spoken(const LineChart& chart, const std::vector<Series>& all) {
  std::string text = fmt::format("{}: {} by {}.", chart.title, chart.y_label, chart.x_label);
  for (const Series& series : all) {
    if (series.points.empty()) continue;
    const Point &first = series.points.front(), &last = series.points.back();
    text += fmt::format(" {}: {} at {}, {} at {}.", series.name, format_value(first.y), format_value(first.x),
                        format_value(last.y), format_value(last.x));
  }
  return escape_html(text);
}

/// Axes and curves.
std::string plot(const LineChart& chart, const std::vector<Series>& all, const Axis& x) {
  const Axis y = y_axis(range_of(all, &Point::y), chart.log_y);
  std::string svg =
      fmt::format("<text x=\"2\" y=\"13\">{}{}</text>\n", escape_html(chart.y_label), chart.log_y ? " (log)" : "");
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (kLeft + kWidth - kRight) / 2,
                     kHeight - 6, escape_html(chart.x_label));
  svg += y_ticks(y) + x_ticks(x);
  for (int64_t i = 0; i < std::ssize(all); ++i) svg += curve(all[static_cast<size_t>(i)], i % kColours, x, y);
  return svg;
}

std::string drawing(const LineChart& chart, const std::vector<Series>& all) {
  const Axis x = x_axis(range_of(all, &Point::x), chart.log_x);
  return fmt::format("<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}{}</svg>\n", kWidth,
                     kHeight, spoken(chart, all), plot(chart, all, x), hover_strips(chart, all, x));
}

/// Names of the series above the plot, for a separate SVG file.
std::string svg_legend(const LineChart& chart, const std::vector<Series>& all) {
  std::string svg = fmt::format("<text x=\"2\" y=\"-24\" class=\"title\">{}</text>\n", escape_html(chart.title));
  double x = 2;
  for (int64_t i = 0; i < std::ssize(all); ++i) {
    const std::string& name = all[static_cast<size_t>(i)].name;
    svg +=
        fmt::format("<path class=\"curve\" stroke=\"var(--s{})\" d=\"M{} -10h16\"/><text x=\"{}\" y=\"-6\">{}</text>\n",
                    i % kColours, x, x + 21, escape_html(name));
    x += 40 + 7 * static_cast<double>(name.size());
  }
  return svg;
}

}  // namespace

Html line_chart(const LineChart& chart) {
  const std::vector<Series> all = drawable(chart);
  const bool empty = range_of(all, &Point::x).empty();
  return {fmt::format("<figure><figcaption>{}{}</figcaption>\n{}</figure>\n", escape_html(chart.title), legend(all),
                      empty ? "<p>No values yet.</p>\n" : drawing(chart, all))};
}

std::string line_chart_svg(const LineChart& chart) {
  const std::vector<Series> all = drawable(chart);
  if (range_of(all, &Point::x).empty()) fail(fmt::format("chart: {} has no values", chart.title));
  constexpr double kHead = 44;
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 {} {} {}\" width=\"{}\" role=\"img\" "
      "aria-label=\"{}\" font-family=\"sans-serif\">\n<style>{}</style>\n{}{}</svg>\n",
      -kHead, kWidth, kHeight + kHead, kWidth, spoken(chart, all), kChartStyle, svg_legend(chart, all),
      plot(chart, all, x_axis(range_of(all, &Point::x), chart.log_x)));
}

}  // namespace mixtape::examples

#include "examples/common/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "autograd/files/json.h"
#include "autograd/tensors/error.h"

namespace mixtape::examples {
namespace {

constexpr int64_t kLongestLabel = 12;  // letters
constexpr double kLetterWidth = 7.3;
constexpr int64_t kNamedPerRow = 3;
constexpr double kFaintest = 0.004;  // fraction of the full colour below which nothing is visible

struct Layout {
  int64_t cell;      ///< side of a cell
  double left, top;  ///< space for the labels
  double width, height;
};

int64_t letter_count(const std::string& text) {
  return std::count_if(text.begin(), text.end(),
                       [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
}

/// The first letters of a long label. Cuts between whole UTF-8 sequences.
std::string shorten(const std::string& text) {
  if (letter_count(text) <= kLongestLabel) return text;
  size_t at = 0;
  for (int64_t letters = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && ++letters == kLongestLabel) break;
  }
  return text.substr(0, at) + "…";
}

double label_room(const std::vector<std::string>& labels) {
  int64_t longest = 1;
  for (const std::string& label : labels) longest = std::max(longest, std::min(letter_count(label), kLongestLabel));
  return std::ceil(static_cast<double>(longest) * kLetterWidth) + 10;
}

Layout layout_of(const HeatMap& map) {
  const int64_t longest = std::max(std::ssize(map.rows), std::ssize(map.columns));
  const int64_t cell = std::clamp<int64_t>(320 / std::max<int64_t>(longest, 1), 13, 20);
  const double left = label_room(map.rows), top = label_room(map.columns);
  const double width = static_cast<double>(cell * std::ssize(map.columns));
  const double height = static_cast<double>(cell * std::ssize(map.rows));
  return {cell, left, top, left + width + 2, top + height + 2};
}

std::string labels(const HeatMap& map, const Layout& layout) {
  const auto cell = static_cast<double>(layout.cell);
  std::string svg;
  for (size_t i = 0; i < map.rows.size(); ++i) {
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\" dominant-baseline=\"central\">{}</text>",
                       layout.left - 5, layout.top + (static_cast<double>(i) + 0.5) * cell,
                       escape_html(shorten(map.rows[i])));
  }
  for (size_t i = 0; i < map.columns.size(); ++i) {
    const double x = layout.left + (static_cast<double>(i) + 0.5) * cell;
    svg += fmt::format("<text transform=\"translate({} {}) rotate(-90)\" dominant-baseline=\"central\">{}</text>", x,
                       layout.top - 5, escape_html(shorten(map.columns[i])));
  }
  return svg + "\n";
}

std::string cells(const HeatMap& map, const Layout& layout) {
  std::string svg;
  for (size_t i = 0; i < map.values.size(); ++i) {
    const double shade = std::clamp(static_cast<double>(map.values[i] / map.highest), 0.0, 1.0);
    if (!(shade >= kFaintest)) continue;
    const auto column = static_cast<int64_t>(i % map.columns.size()),
               row = static_cast<int64_t>(i / map.columns.size());
    svg += fmt::format("<path opacity=\"{:.2g}\" d=\"M{} {}h{}v{}h-{}z\"/>", shade,
                       layout.left + static_cast<double>(column * layout.cell),
                       layout.top + static_cast<double>(row * layout.cell), layout.cell, layout.cell, layout.cell);
  }
  return svg + "\n";
}

std::string json_attribute(const std::vector<std::string>& texts) {
  return escape_html(to_text(Json::Array(texts.begin(), texts.end())));
}

std::string all_values(const HeatMap& map) {
  std::string text;
  for (const float value : map.values) text += fmt::format("{}{:.3g}", text.empty() ? "" : " ", value);
  return text;
}

/// The columns of the largest values of a row, largest first.
std::string row_text(const HeatMap& map, size_t row) {
  const float* values = map.values.data() + row * map.columns.size();
  std::vector<size_t> order(map.columns.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [values](size_t a, size_t b) { return values[a] > values[b]; });
  std::string text;
  for (size_t i = 0; i < std::min(order.size(), static_cast<size_t>(kNamedPerRow)); ++i) {
    text += fmt::format("{}{} {:.2f}", text.empty() ? "" : ", ", map.columns[order[i]], values[order[i]]);
  }
  return fmt::format("<li>{}</li>", escape_html(map.rows[row] + " → " + text));
}

std::string text_form(const HeatMap& map) {
  std::string html = "<details><summary>as text</summary><ul>";
  for (size_t row = 0; row < map.rows.size(); ++row) html += row_text(map, row);
  return html + "</ul></details>\n";
}

}  // namespace

Html heat_map(const HeatMap& map) {
  if (map.values.size() != map.rows.size() * map.columns.size()) {
    fail(fmt::format("heat_map: {} values for {} rows and {} columns in \"{}\"", map.values.size(), map.rows.size(),
                     map.columns.size(), map.title));
  }
  if (!(map.highest > 0)) fail(fmt::format("heat_map: highest must be above 0, not {}", map.highest));
  const Layout layout = layout_of(map);
  std::string svg = fmt::format(
      "<svg class=\"map\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"{2}\" "
      "data-cell=\"{3}\" "
      "data-left=\"{4}\" data-top=\"{5}\" data-rows=\"{6}\" data-columns=\"{7}\" data-values=\"{8}\">\n",
      layout.width, layout.height,
      escape_html(
          fmt::format("{}: {} rows, {} columns; a text form follows", map.title, map.rows.size(), map.columns.size())),
      layout.cell, layout.left, layout.top, json_attribute(map.rows), json_attribute(map.columns), all_values(map));
  svg += labels(map, layout) + cells(map, layout);
  svg += fmt::format("<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></svg>\n", layout.left,
                     layout.top, layout.width - layout.left - 2, layout.height - layout.top - 2);
  return {
      fmt::format("<figure><figcaption>{}</figcaption>\n<div class=\"map-box\" tabindex=\"0\">{}</div>\n{}</figure>\n",
                  escape_html(map.title), svg, text_form(map))};
}

Html heat_maps(const std::vector<HeatMap>& maps) {
  Html all = {"<div class=\"maps\">\n"};
  for (const HeatMap& map : maps) all += heat_map(map);
  return all += {"</div>\n"};
}

}  // namespace mixtape::examples

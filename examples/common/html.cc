#include "examples/common/html.h"

#include <fmt/format.h>

#include <algorithm>

#include "examples/common/page_style.h"

namespace mixtape::examples {
namespace {

bool looks_like_number(std::string_view text) {
  return text.find_first_of("0123456789") != text.npos && text.find_first_not_of("0123456789.,+-−%eE ") == text.npos;
}

bool is_number_column(const std::vector<std::vector<std::string>>& rows, size_t column) {
  return std::all_of(rows.begin(), rows.end(), [column](const std::vector<std::string>& row) {
    return column >= row.size() || row[column].empty() || looks_like_number(row[column]);
  });
}

std::string table_row(const std::vector<std::string>& cells, const std::vector<bool>& is_number, std::string_view tag) {
  std::string row = "<tr>";
  for (size_t i = 0; i < cells.size(); ++i) {
    const bool right = i < is_number.size() && is_number[i];
    row += fmt::format("<{0}{1}>{2}</{0}>", tag, right ? " class=\"number\"" : "", escape_html(cells[i]));
  }
  return row + "</tr>\n";
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char letter : text) {
    switch (letter) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += letter;
    }
  }
  return escaped;
}

std::string html_page(std::string_view title, std::string_view summary, const Html& body) {
  return fmt::format(R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{0}</title>
<style>{5}{2}</style>
</head>
<body>
<header><h1>{0}</h1><p>{1}</p></header>
<main>
{3}</main>
<div id="tip" role="status" hidden></div>
<script>{4}</script>
</body>
</html>
)",
                     escape_html(title), escape_html(summary), kPageStyle, body.markup, kPageScript, kChartStyle);
}

Html html_section(std::string_view heading, const Html& body) {
  return {fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", escape_html(heading), body.markup)};
}

Html html_paragraph(std::string_view text) { return {fmt::format("<p>{}</p>\n", escape_html(text))}; }

Html html_grid(const std::vector<Html>& items) {
  Html grid = {"<div class=\"grid\">\n"};
  for (const Html& item : items) grid += item;
  return grid += {"</div>\n"};
}

Html html_key_values(const std::vector<std::pair<std::string, std::string>>& entries) {
  Html list = {"<dl>\n"};
  for (const auto& [name, value] : entries) {
    list += {fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape_html(name), escape_html(value))};
  }
  return list += {"</dl>\n"};
}

Html html_table(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows) {
  std::vector<bool> is_number;
  for (size_t i = 0; i < columns.size(); ++i) is_number.push_back(is_number_column(rows, i));
  std::string table = "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead>" + table_row(columns, is_number, "th");
  table += "</thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : rows) table += table_row(row, is_number, "td");
  return {table + "</tbody>\n</table></div>\n"};
}

}  // namespace mixtape::examples

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mixtape::examples {

/// Finished markup. Plain text becomes markup only through the functions below, which escape it.
struct Html {
  std::string markup;

  Html& operator+=(const Html& other) {
    markup += other.markup;
    return *this;
  }
};

/// Text for use inside an element or a quoted attribute: & < > " ' are replaced.
std::string escape_html(std::string_view text);

/// A self-contained page: style and script are inline, the theme follows the reader's system, and it is readable on a
/// phone. `summary` is a line under the title.
std::string html_page(std::string_view title, std::string_view summary, const Html& body);

/// A section of the page with a heading.
Html html_section(std::string_view heading, const Html& body);

Html html_paragraph(std::string_view text);

/// Charts or heat maps side by side, as many as fit.
Html html_grid(const std::vector<Html>& items);

/// Names and values, such as settings and results.
Html html_key_values(const std::vector<std::pair<std::string, std::string>>& entries);

/// A table that scrolls if it is too wide. Columns of numbers are aligned right.
Html html_table(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows);

}  // namespace mixtape::examples

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

/// A whole page that needs no network: style and script are inline, light or dark as the reader's system says, readable
/// on a phone. `summary` is a line under the title.
std::string html_page(std::string_view title, std::string_view summary, const Html& body);

/// A part of the page with a heading.
Html html_section(std::string_view heading, const Html& body);

Html html_paragraph(std::string_view text);

/// Charts or maps side by side, as many as fit.
Html html_grid(const std::vector<Html>& items);

/// Names with values, such as settings and results.
Html html_key_values(const std::vector<std::pair<std::string, std::string>>& entries);

/// A table that scrolls inside its box when it is too wide. Columns of numbers are set flush right.
Html html_table(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows);

}  // namespace mixtape::examples

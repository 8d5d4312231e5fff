#include "examples/common/html.h"
#include "tests/text.h"

#include <doctest/doctest.h>

using namespace mixtape::examples;
using namespace mixtape::tests;

TEST_CASE("escape_html") {
  CHECK(escape_html("<a href=\"x\">'&amp;'</a>") == "&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;&#39;&lt;/a&gt;");
  CHECK(escape_html("Straße – 東京") == "Straße – 東京");
  CHECK(escape_html("").empty());
}

TEST_CASE("every building block escapes its text") {
  const std::string evil = "<script>alert('x')</script>";
  Html body = html_section(evil, html_paragraph(evil));
  body += html_key_values({{evil, evil}});
  body += html_table({evil}, {{evil}});
  const std::string page = html_page(evil, evil, body);
  CHECK(!contains(page, evil));
  size_t count = 0;
  for (size_t at = page.find("&lt;script&gt;"); at != page.npos; at = page.find("&lt;script&gt;", at + 1)) ++count;
  CHECK(count == 9);  // the title stands in the page twice
}

TEST_CASE("html_page: one file that loads nothing") {
  const std::string page = html_page("Report", "a run", html_paragraph("text"));
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(contains(page, "<meta charset=\"utf-8\">"));
  CHECK(contains(page, "width=device-width"));
  CHECK(contains(page, "prefers-color-scheme: dark"));
  for (const char* loader : {"http:", "https:", "src=", "@import", "url(", "<link"}) CHECK(!contains(page, loader));
}

TEST_CASE("html_table: columns of numbers are set right, others left") {
  const std::string table =
      html_table({"name", "value", "mixed"}, {{"a", "1,234.5", "1"}, {"b", "-2e-05", "x"}}).markup;
  CHECK(contains(table, "<td>a</td><td class=\"number\">1,234.5</td><td>1</td>"));
  CHECK(contains(table, "<th>name</th><th class=\"number\">value</th><th>mixed</th>"));
  CHECK(contains(table, "class=\"scroll\""));
}

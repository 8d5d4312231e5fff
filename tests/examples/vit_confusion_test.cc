#include <doctest/doctest.h>
#include <fmt/format.h>

#include "autograd/tensors/error.h"
#include "examples/vit/confusion.h"
#include "tests/text.h"

using namespace mixtape;
using namespace mixtape::tests;

TEST_CASE("confusion_matrix: counts, shaded by their share, and how many of each class were right") {
  const std::string html = vit::confusion_matrix({"cat", "dog", "<cow>"}, {1500, 500, 0, 0, 4, 0, 1, 0, 9}).markup;
  CHECK(contains(html,
                 "<tr><th scope=\"row\">cat</th><td class=\"right\" style=\"--shade:0.75\" data-tip=\"cat → cat: "
                 "1,500, 75.0 %\">1500</td><td class=\"wrong\" style=\"--shade:1.00\" data-tip=\"cat → dog: 500, "
                 "25.0 %\">500</td><td>·</td><td class=\"share\">75.0 %</td></tr>"));
  CHECK(contains(html, "<td class=\"wrong\" style=\"--shade:0.40\" data-tip=\"&lt;cow&gt; → cat: 1, 10.0 %\">1</td>"));
  CHECK(contains(html, "<td class=\"share\">100.0 %</td>"));
  CHECK(!contains(html, "<cow>"));
}

TEST_CASE("confusion_matrix: the mistakes that were made most often come first") {
  const std::string html = vit::confusion_matrix({"a", "b", "c"}, {5, 1, 0, 0, 5, 2, 3, 0, 5}).markup;
  const auto rows = tests::matches_of("^<tr><td>(\\w) → (\\w)</td><td class=\"number\">(\\d)</td>", html);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0][1] + rows[0][2] + rows[0][3] == "ca3");
  CHECK(rows[1][1] + rows[1][2] + rows[1][3] == "bc2");
  CHECK(rows[2][1] + rows[2][2] + rows[2][3] == "ab1");
}

TEST_CASE("confusion_matrix: without images, without mistakes, of one class") {
  CHECK(contains(vit::confusion_matrix({"a", "b"}, {0, 0, 0, 0}).markup, "<td class=\"share\">–</td>"));
  CHECK(contains(vit::confusion_matrix({"a", "b"}, {3, 0, 0, 1}).markup, "No mistakes."));
  CHECK(contains(vit::confusion_matrix({"a"}, {2}).markup, "100.0 %"));
}

TEST_CASE("confusion_matrix: many classes become a heat map") {
  std::vector<std::string> classes;
  std::vector<int64_t> counts(21 * 21, 0);
  for (size_t i = 0; i < 21; ++i) {
    classes.push_back(fmt::format("class {}", i));
    counts[i * 22] = 100;
  }
  counts[1] = 7;
  const std::string html = vit::confusion_matrix(classes, counts).markup;
  CHECK(contains(html, "<svg class=\"map\""));
  CHECK(!contains(html, "class=\"counts\""));
  CHECK(tests::matches_of("<path opacity=\"1\"", html).size() == 21);
  CHECK(tests::matches_of("<path opacity=\"0.07\"", html).size() == 1);
  CHECK(contains(html, "<td>class 0 → class 1</td><td class=\"number\">7</td>"));
}

TEST_CASE("confusion_matrix: sizes must fit") {
  CHECK_THROWS_WITH_AS(vit::confusion_matrix({"a", "b"}, {1, 2, 3}), "confusion matrix: 3 counts for 2 classes", Error);
  CHECK_THROWS_AS(vit::confusion_matrix({}, {}), Error);
}

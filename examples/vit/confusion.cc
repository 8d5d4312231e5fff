#include "examples/vit/confusion.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/tensors/error.h"
#include "examples/common/format.h"
#include "examples/common/heat_map.h"

namespace mixtape::vit {
namespace {

using namespace examples;

constexpr size_t kMostInTable = 20;   // classes
constexpr size_t kMistakesNamed = 8;  // pairs of classes
constexpr double kFaintest = 0.02;    // smallest shade

struct Matrix {
  const std::vector<std::string>& classes;
  const std::vector<int64_t>& counts;
  std::vector<int64_t> totals;  // of each row

  size_t size() const { return classes.size(); }
  int64_t count(size_t is, size_t said) const { return counts[is * size() + said]; }
  double share(size_t is, size_t said) const {
    return totals[is] == 0 ? 0 : static_cast<double>(count(is, said)) / static_cast<double>(totals[is]);
  }
};

double highest_mistake(const Matrix& matrix) {
  double highest = 0;
  for (size_t is = 0; is < matrix.size(); ++is) {
    for (size_t said = 0; said < matrix.size(); ++said) {
      if (is != said) highest = std::max(highest, matrix.share(is, said));
    }
  }
  return highest;
}

std::string one_digit_percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

// Correct answers are shaded by their fraction of the row; mistakes by theirs, relative to the most frequent one.
std::string cell(const Matrix& matrix, size_t is, size_t said, double highest) {
  if (matrix.count(is, said) == 0) return "<td>·</td>";
  const double share = matrix.share(is, said);
  const double shade = is == said ? share : share / highest;
  return fmt::format("<td class=\"{}\" style=\"--shade:{:.2f}\" data-tip=\"{}\">{}</td>",
                     is == said ? "right" : "wrong", std::max(shade, kFaintest),
                     escape_html(fmt::format("{} → {}: {}, {}", matrix.classes[is], matrix.classes[said],
                                             format_count(matrix.count(is, said)), one_digit_percent(share))),
                     matrix.count(is, said));
}

Html table(const Matrix& matrix) {
  const double highest = highest_mistake(matrix);
  std::string html =
      "<div class=\"scroll fit\" tabindex=\"0\"><table class=\"counts\">\n<thead><tr><th>is ↓ said →</th>";
  for (const std::string& name : matrix.classes) html += fmt::format("<th scope=\"col\">{}</th>", escape_html(name));
  html += "<th scope=\"col\">right</th></tr></thead>\n<tbody>\n";
  for (size_t is = 0; is < matrix.size(); ++is) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", escape_html(matrix.classes[is]));
    for (size_t said = 0; said < matrix.size(); ++said) html += cell(matrix, is, said, highest);
    html += fmt::format("<td class=\"share\">{}</td></tr>\n",
                        matrix.totals[is] == 0 ? "–" : one_digit_percent(matrix.share(is, is)));
  }
  return {html + "</tbody>\n</table></div>\n"};
}

Html map(const Matrix& matrix) {
  HeatMap map = {.title = "Images by true class (rows) and predicted class (columns)",
                 .rows = matrix.classes,
                 .columns = matrix.classes,
                 .values = std::vector<float>(matrix.counts.begin(), matrix.counts.end())};
  map.highest = std::max(1.0F, *std::max_element(map.values.begin(), map.values.end()));
  return heat_map(map);
}

Html frequent_mistakes(const Matrix& matrix) {
  std::vector<size_t> cells;
  for (size_t i = 0; i < matrix.counts.size(); ++i) {
    if (i / matrix.size() != i % matrix.size() && matrix.counts[i] > 0) cells.push_back(i);
  }
  if (cells.empty()) return html_paragraph("No mistakes.");
  std::stable_sort(cells.begin(), cells.end(), [&](size_t a, size_t b) { return matrix.counts[a] > matrix.counts[b]; });
  cells.resize(std::min(cells.size(), kMistakesNamed));
  std::vector<std::vector<std::string>> rows;
  for (const size_t at : cells) {
    const size_t is = at / matrix.size(), said = at % matrix.size();
    rows.push_back({fmt::format("{} → {}", matrix.classes[is], matrix.classes[said]), format_count(matrix.counts[at]),
                    one_digit_percent(matrix.share(is, said))});
  }
  Html html = html_paragraph("The most frequent mistakes:");
  return html += html_table({"true → predicted", "images", "fraction of the class"}, rows);
}

}  // namespace

Html confusion_matrix(const std::vector<std::string>& classes, const std::vector<int64_t>& counts) {
  if (classes.empty() || counts.size() != classes.size() * classes.size()) {
    fail(fmt::format("confusion matrix: {} counts for {} classes", counts.size(), classes.size()));
  }
  Matrix matrix = {classes, counts, {}};
  for (size_t is = 0; is < classes.size(); ++is) {
    int64_t& total = matrix.totals.emplace_back(0);
    for (size_t said = 0; said < classes.size(); ++said) total += matrix.count(is, said);
  }
  Html html = classes.size() <= kMostInTable ? table(matrix) : map(matrix);
  return html += frequent_mistakes(matrix);
}

}  // namespace mixtape::vit

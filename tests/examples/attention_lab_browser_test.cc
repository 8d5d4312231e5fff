// The lab's page as Chromium shows it: its numbers are the library's, and keys alone work it.
#include <doctest/doctest.h>

#include <charconv>
#include <set>

#include "examples/attention_lab/document.h"
#include "examples/attention_lab/page.h"
#include "tests/examples/attention_lab_cases.h"
#include "tests/examples/attention_lab_recomputed.h"
#include "tests/examples/browser.h"

using namespace mixtape;
using namespace mixtape::attention_lab;
using namespace mixtape::tests;

namespace {

// Gathers every number that the page shows, a line each, of each preset as it is and after the edits of `edited`.
constexpr std::string_view kLabProbe = R"html(
<script>
const lines = [];
const settled = async () => {
  for (const box of document.querySelectorAll('section:not(#numeric) details')) box.open = true;
  await new Promise((done) => setTimeout(done, 20));
  for (let i = 0; i < 2000 && document.querySelector('td[data-matrix]:not([data-value])'); ++i)
    await new Promise((done) => setTimeout(done, 5));
};
function gather(which) {
  const seen = new Set();
  for (const cell of document.querySelectorAll('[data-matrix][data-value]')) {
    const {matrix, head, row, column, value} = cell.dataset;
    const line = [which, matrix, head || 0, row, column, value, cell.textContent].join('|');
    if (!seen.has(line)) lines.push(line);
    seen.add(line);
  }
}
function key(name) {
  const event = new KeyboardEvent('keydown', {key: name, bubbles: true, cancelable: true});
  document.activeElement.dispatchEvent(event);
}
addEventListener('load', async () => {
  const seen = {sections: document.querySelectorAll('section h2').length};
  for (const {name, inputs} of lab.document.presets) {
    lab.select(name);
    await settled();
    gather(name);
    lab.edit('X', 1, 0, 0.37);
    lab.edit('Wk', 0, 1, -1.25);
    lab.edit('G', 0, 1, 2);
    lab.edit('mask', 1, 0, 0);
    if (inputs.memory) lab.edit('memory', 0, 1, -0.5);
    await settled();
    gather(name + ' edited');
    lab.undo();
  }
  lab.select('by-hand');
  document.querySelector('#setting td[data-matrix="X"]').focus();
  key('ArrowDown');
  key('ArrowRight');
  const {row, column} = document.activeElement.dataset;
  key('Enter');
  document.activeElement.value = '-0,25';
  key('Enter');
  Object.assign(seen, {walked: `${row},${column}`, typed: lab.read('X').values[3]});
  lab.undo();
  document.documentElement.style.fontSize = '200%';
  await settled();
  Object.assign(seen, {sidewaysWhenLarge: sideways()});
  show(seen, lines);
});
</script>
)html";

AttentionLayer edited(AttentionLayer layer) {
  const auto set = [&](const char* name, int64_t row, int64_t column, double value) {
    Tensor& x = layer.given.at(name);
    x = x.clone();
    x.mutable_data<double>()[row * x.size(1) + column] = value;
  };
  set("X", 1, 0, 0.37);
  set("Wk", 0, 1, -1.25);
  set("G", 0, 1, 2);
  if (layer.is_cross()) set("memory", 0, 1, -0.5);
  layer.mask = layer.mask.clone();
  layer.mask.mutable_data<int32_t>()[layer.mask.size(1)] = 0;
  return layer;
}

// What the page must show under each name.
Matrices expected_numbers(const AttentionLayer& layer, int64_t query) {
  Matrices all = Recomputed(layer).values;
  for (const auto& [name, value] : layer.given) all[name] = value;
  const Tensor a = all["A"], da = all["dA"];
  all["overview.A"] = a;
  all["overview.dA"] = da;
  all["mask"] = layer.mask.to(f64);
  all["A.rowsum"] = sum(a, -1, true);
  all["dS.rowsum"] = concat({sum(da * a, -1, true), sum(all["dS"], -1, true)}, -1);
  const int64_t heads = a.size(0), keys = a.size(2);
  const Tensor row = slice(a, 1, query, query + 1), column = transpose(row, 1, 2);
  Tensor identity = Tensor::zeros({keys, keys}, f64);
  for (int64_t j = 0; j < keys; ++j) identity.mutable_data<double>()[j * keys + j] = 1;
  all["jacobian"] = column * identity - column * row;
  const Tensor flow = transpose(slice(da, 1, query, query + 1), 1, 2);
  all["jacobian.row"] = concat({column, flow, matmul(all["jacobian"], flow)}, -1);
  const Tensor plain = slice(all["O"], 1, query, query + 1);
  all["tiled.O"] = concat({plain, plain}, 1);
  CHECK(heads == layer.heads);
  return all;
}

struct Cell {
  std::string which, matrix;
  int64_t head, row, column;
  std::string value, text;
};

std::vector<Cell> cells_of(const std::vector<std::string>& lines) {
  std::vector<Cell> cells;
  for (const std::string& line : lines) {
    std::vector<std::string> parts;
    std::istringstream stream(line);
    for (std::string part; std::getline(stream, part, '|');) parts.push_back(part);
    if (parts.size() != 7) continue;
    cells.push_back(
        {parts[0], parts[1], std::stoll(parts[2]), std::stoll(parts[3]), std::stoll(parts[4]), parts[5], parts[6]});
  }
  return cells;
}

double at(const Tensor& x, const Cell& cell) {
  const int rank = x.rank();
  const int64_t columns = rank > 0 ? x.size(rank - 1) : 1, rows = rank > 1 ? x.size(rank - 2) : 1;
  const int64_t index = ((rank > 2 ? cell.head * rows : 0) + cell.row) * columns + cell.column;
  REQUIRE(index < x.elements());
  return x.data<double>()[index];
}

// Compares all cells of one state of the page; returns the names that were there.
std::set<std::string> check_cells(const std::vector<Cell>& cells, const std::string& which, const Matrices& expected,
                                  double tolerance) {
  std::set<std::string> names;
  double worst = 0, roughest = 0;
  for (const Cell& cell : cells) {
    if (cell.which != which || !expected.contains(cell.matrix)) continue;
    names.insert(cell.matrix);
    const double truth = at(expected.at(cell.matrix), cell), value = std::stod(cell.value);
    worst = std::max(worst, std::abs(value - truth) / std::max(1.0, std::abs(truth)));
    roughest = std::max(roughest, std::abs(std::stod(cell.text) - value) / std::max(1e-9, std::abs(value)));
  }
  CAPTURE(which);
  CHECK(worst <= tolerance);
  CHECK(roughest <= 0.051);  // two digits at least
  return names;
}

}  // namespace

TEST_CASE("attention_lab page in a browser: every number is the library's, also after edits") {
  const std::optional<std::string> browser = find_browser();
  if (!browser) {
    MESSAGE("skipped: no chromium, chromium-browser or google-chrome in PATH");
    return;
  }
  std::vector<Study> studies;
  for (const std::string& name : preset_names()) studies.push_back(study_of(name));
  const Seen seen = look_at(*browser, make_page(to_document(studies, measure_costs({64, 128}))), kLabProbe, 30000);
  check_clean(seen);
  CHECK(seen.number("sections") == 12);
  CHECK(seen.text("walked") == "1,1");
  CHECK(seen.text("typed") == "-0.25");
  CHECK(seen.number("sidewaysWhenLarge") == 0);
  const std::vector<Cell> cells = cells_of(seen.lines);
  for (const Study& study : studies) {
    const AttentionLayer& layer = study.preset.attention;
    Matrices expected = expected_numbers(layer, study.preset.query);
    for (const auto& [name, value] : study.numeric) expected["numeric." + name] = value;
    expected["hessian.direction"] = study.hessian.direction;
    expected["hessian.product"] = study.hessian.product;
    std::set<std::string> names = check_cells(cells, study.preset.name, expected, 1e-12);
    for (const auto& [name, value] : expected)
      if (!name.starts_with("numeric.")) CHECK_MESSAGE(names.contains(name), name);
    check_cells(cells, study.preset.name + " edited", expected_numbers(edited(layer), study.preset.query), 1e-10);
  }
}

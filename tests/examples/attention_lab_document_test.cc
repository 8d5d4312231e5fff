// The numbers of the lab's document, worked out again in other ways: with the fused attention, with the model itself,
// and in plain loops.
#include <doctest/doctest.h>

#include <algorithm>

#include "examples/attention_lab/document.h"
#include "examples/attention_lab/page.h"
#include "tests/examples/attention_lab_cases.h"
#include "tests/examples/attention_lab_recomputed.h"

using namespace mixtape;
using namespace mixtape::attention_lab;

namespace {

const char* const kPresets[] = {"by-hand", "translation", "generation", "image"};

void check_numbers(const Study& shown) {
  const Json preset = parse_json(to_text(to_json(shown)), "document");
  const Recomputed expected(layer_of(preset));
  int64_t compared = 0;
  for (const char* part : {"forward", "backward"}) {
    for (const auto& [name, value] : preset.at(part).get<Json::Object>()) {
      if (value.is_null()) continue;
      const Tensor own = value.is_number() ? Tensor::scalar(value.number(), f64) : any_of(value);
      REQUIRE_MESSAGE(expected.values.contains(name), name);
      check_equal(name, own, expected.values.at(name));
      ++compared;
    }
  }
  const bool output = !preset.at("inputs").at("Wo").is_null(), cross = !preset.at("inputs").at("memory").is_null();
  CHECK(compared == 9 + 18 + (output ? 2 : 0) + (cross ? 1 : 0));
}

Study study_of_layer(const AttentionLayer& layer) {
  Preset preset;
  preset.queries.resize(static_cast<size_t>(layer.queries()));
  preset.keys.resize(static_cast<size_t>(layer.keys()));
  preset.attention = layer;
  return study(preset);
}

}  // namespace

TEST_CASE("attention_lab: the document's numbers are the library's") {
  for (const char* name : kPresets) {
    CAPTURE(name);
    check_numbers(study_of(name));
  }
  check_numbers(study_of_layer(random_layer({1, 1, 1, 1, false, false}, 1)));
  check_numbers(study_of_layer(random_layer({4, 4, 3, 2, false, true}, 2)));
  check_numbers(study_of_layer(random_layer({3, 5, 2, 3, true, false}, 3)));
}

TEST_CASE("attention_lab: the model that a layer was taken from says the same of A and dA") {
  for (const char* name : kPresets) {
    CAPTURE(name);
    const Study& shown = study_of(name);
    const Json preset = to_json(shown);
    bool found = false;
    for (const Json& layer : preset.at("overview").at("layers").get<Json::Array>()) {
      if (layer.at("name") != preset.at("layer")) continue;
      found = true;
      check_equal("A", any_of(layer.at("A")), any_of(preset.at("forward").at("A")));
      check_equal("dA", any_of(layer.at("dA")), any_of(preset.at("backward").at("dA")));
    }
    CHECK(found);
    CHECK(preset.at("overview").at("layers").get<Json::Array>().size() == shown.preset.layers.size());
  }
}

TEST_CASE("attention_lab: numeric derivatives agree with the rules") {
  for (const char* name : kPresets) {
    const Study& shown = study_of(name);
    REQUIRE(shown.numeric.size() == shown.backward.size());
    for (const auto& [matrix, gradient] : shown.backward)
      check_equal(std::string(name) + " " + matrix, shown.numeric.at(matrix), gradient, 1e-8);
    check_equal("hessian", shown.hessian.numeric, shown.hessian.product, 1e-7);
    CHECK(sum(shown.hessian.direction * shown.hessian.direction).item() == doctest::Approx(1));
  }
}

TEST_CASE("attention_lab: the error of the numeric derivative falls, and rises again") {
  for (const char* name : kPresets) {
    CAPTURE(name);
    const std::vector<ErrorCurve::Point>& points = study_of(name).curve.points;
    const auto least =
        std::min_element(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.error < b.error; });
    CHECK(least->error * 100 < points.front().error);
    CHECK(least->error * 100 < points.back().error);
  }
}

TEST_CASE("attention_lab: tiled attention is the same attention") {
  for (const char* name : kPresets) {
    CAPTURE(name);
    const Study& shown = study_of(name);
    CHECK(shown.tiled.difference < 1e-12);
    REQUIRE(std::ssize(shown.tiled.rows) == shown.preset.attention.queries());
    const Tensor o = shown.forward.at("O");
    for (int64_t i = 0; i < o.size(1); ++i) {
      const TiledBlock& last = shown.tiled.rows[static_cast<size_t>(i)].back();
      for (int64_t c = 0; c < o.size(2); ++c) {
        const double plain = o.data<double>()[(shown.preset.head * o.size(1) + i) * o.size(2) + c];
        CHECK(last.output[static_cast<size_t>(c)] / last.sum == doctest::Approx(plain).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("attention_lab: the difference of a tiled way that is wrong is seen") {
  const Study& shown = study_of("by-hand");
  AttentionLayer other = shown.preset.attention;
  other.scale *= 1.01;
  CHECK(tiled(other, 0, 2, shown.forward, shown.backward).difference > 1e-4);
}

TEST_CASE("attention_lab: one head of a wide layer is what it adds to the result") {
  const AttentionLayer layer = random_layer({3, 3, 4, 2, false, false}, 5);
  Tensor total = -3.0 * broadcast_to(layer.given.at("bo"), {3, 8});
  for (int64_t h = 0; h < 4; ++h) {
    const AttentionLayer one = only_head(layer, h);
    total = total + forward(one).at("Y");
    check_equal("A", forward(one).at("A"), slice(forward(layer).at("A"), 0, h, h + 1));
    check_equal("dA", backward(one).at("dA"), slice(backward(layer).at("dA"), 0, h, h + 1));
  }
  check_equal("Y", total, forward(layer).at("Y"));
  check_numbers(study_of_layer(only_head(layer, 2)));
}

TEST_CASE("attention_lab: costs are measured") {
  const std::vector<CostRow> rows = measure_costs({64, 512});
  REQUIRE(rows.size() == 2);
  for (const CostRow& row : rows)
    for (const Cost& cost : {row.full, row.tiled, row.windowed, row.linear})
      CHECK((cost.seconds > 0 && cost.bytes > 0));
  CHECK(rows[1].full.bytes > 16 * rows[0].full.bytes);
  for (const auto& kind : {&CostRow::tiled, &CostRow::windowed, &CostRow::linear})
    CHECK((rows[1].*kind).bytes < 9 * (rows[0].*kind).bytes);
}

TEST_CASE("attention_lab: the document within the page reads back, whatever it holds") {
  const Json document{{"piece", "</s></script>"}, {"number", 0.1 + 0.2}};
  const std::string page = make_page(document);
  const std::string open = "<script type=\"application/json\" id=\"lab-data\">";
  const size_t first = page.find(open) + open.size();
  const std::string data = page.substr(first, page.find("</script>", first) - first);
  CHECK(parse_json(data, "page") == document);
}

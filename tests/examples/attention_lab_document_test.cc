// The numbers of the lab's document, worked out again in other ways: with the fused attention, with the model itself,
// and in plain loops.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "autograd/tape.h"
#include "examples/attention_lab/document.h"
#include "examples/attention_lab/page.h"
#include "tests/examples/attention_lab_cases.h"

using namespace mixtape;
using namespace mixtape::attention_lab;

namespace {

const char* const kPresets[] = {"by-hand", "translation", "generation", "image"};

Tensor tensor_of(const Json& matrix) {
  std::vector<double> values;
  for (const Json& value : matrix.at("values").get<Json::Array>()) values.push_back(value.number());
  return Tensor::from(values, {matrix.at("rows").get<int64_t>(), matrix.at("columns").get<int64_t>()}, f64);
}

// A list of matrices as one [H, .., ..] tensor.
Tensor stack_of(const Json& list) {
  std::vector<Tensor> heads;
  for (const Json& matrix : list.get<Json::Array>()) {
    const Tensor head = tensor_of(matrix);
    heads.push_back(head.view(Shape{1, head.size(0), head.size(1)}));
  }
  return concat(heads, 0);
}

Tensor any_of(const Json& value) { return value.get_if<Json::Array>() ? stack_of(value) : tensor_of(value); }

void check_equal(const std::string& name, const Tensor& a, const Tensor& b, double tolerance = 1e-12) {
  CAPTURE(name);
  const std::vector<double> left = a.values(), right = b.values();
  REQUIRE(left.size() == right.size());
  double worst = 0;
  for (size_t i = 0; i < left.size(); ++i)
    worst = std::max(worst, std::abs(left[i] - right[i]) / std::max(1.0, std::abs(right[i])));
  CHECK(worst <= tolerance);
}

// The layer of a document with the library's attention op, from nothing but the document's inputs.
struct Recomputed {
  Matrices values;  // by the document's names

  explicit Recomputed(const Json& preset) {
    const Json& inputs = preset.at("inputs");
    heads_ = preset.at("heads").get<int64_t>();
    scale_ = preset.at("scale").number();
    std::vector<int32_t> seen;
    const auto& rows = preset.at("mask").get<Json::Array>();
    for (const Json& row : rows)
      for (const Json& cell : row.get<Json::Array>()) seen.push_back(static_cast<int32_t>(cell.get<int64_t>()));
    const auto queries = static_cast<int64_t>(rows.size());
    mask_ = allowed_pairs(Tensor::from(seen, {queries, static_cast<int64_t>(seen.size()) / queries}));
    for (const auto& [name, value] : inputs.get<Json::Object>()) {
      if (value.is_null()) continue;
      const Tensor x = tensor_of(value);
      given_[name] = name.starts_with("b") ? x.view({x.elements()}) : x;
    }
    fused();
    in_two_halves();
    scores();
  }

 private:
  Tensor given(const char* name) const { return find(given_, name); }
  Tensor heads(const Tensor& x) const { return reshape(x, {1, x.size(0), heads_, x.size(1) / heads_}); }
  Tensor projected(const Tensor& x, const char* weight, const char* bias) const {
    return linear(x, given(weight), given(bias));
  }
  AttentionOptions options() const { return {.mask = mask_, .scale = scale_}; }
  Tensor result(const Tensor& joined) const { return given("Wo") ? projected(joined, "Wo", "bo") : joined; }

  // Gradients of what was given, through the fused kernel.
  void fused() {
    Tape tape;
    for (const auto& [name, value] : given_) tape.watch(value);
    const Tensor x = given("X"), memory = given("memory") ? given("memory") : x;
    const Tensor q = projected(x, "Wq", "bq"), k = projected(memory, "Wk", "bk"), v = projected(memory, "Wv", "bv");
    const Tensor joined =
        reshape(scaled_dot_product_attention(heads(q), heads(k), heads(v), options()), {x.size(0), q.size(1)});
    const Tensor y = result(joined), loss = sum(y * given("G"));
    tape.backward(loss, {.keep = {q, k, v, joined, y}});
    values["L"] = loss.detach();
    for (const auto& [name, value] :
         std::map<std::string, Tensor>{{"Q", q}, {"K", k}, {"V", v}, {"joined", joined}, {"Y", y}}) {
      values[name] = value.detach();
      values["d" + name] = tape.gradient(value);
    }
    for (const auto& [name, value] : given_)
      if (name != "G") values["d" + name] = tape.gradient(value);
    values["dX_query"] = matmul(values["dQ"], given("Wq"));
    values["dX_key"] = matmul(values["dK"], given("Wk"));
    values["dX_value"] = matmul(values["dV"], given("Wv"));
  }

  // A and O, with their gradients.
  void in_two_halves() {
    Tape tape;
    const Tensor q = tape.watch(heads(values["Q"])), k = heads(values["K"]), v = heads(values["V"]);
    const Tensor a = attention_weights(q, k, options());
    const Tensor o = attention_mix(a, v, options());
    tape.backward(sum(o * heads(values["djoined"])), {.keep = {a}});
    const auto of_one = [](const Tensor& x) { return x.clone().view(x.shape().without(0)); };
    values["A"] = of_one(a);
    values["dA"] = of_one(tape.gradient(a));
    values["O"] = of_one(transpose(o.detach(), 1, 2));
    values["dO"] = of_one(transpose(heads(values["djoined"]), 1, 2));
  }

  // S and dS, in loops.
  void scores() {
    const Tensor a = values["A"], da = values["dA"], q = values["Q"], k = values["K"];
    const int64_t n = a.size(1), m = a.size(2), width = q.size(1), part = width / heads_;
    Tensor s = Tensor::zeros(a.shape(), f64), ds = Tensor::zeros(a.shape(), f64);
    for (int64_t h = 0; h < heads_; ++h) {
      for (int64_t i = 0; i < n; ++i) {
        const double *weights = a.data<double>() + (h * n + i) * m, *dweights = da.data<double>() + (h * n + i) * m;
        double average = 0;
        for (int64_t j = 0; j < m; ++j) average += weights[j] * dweights[j];
        for (int64_t j = 0; j < m; ++j) {
          double score = 0;
          for (int64_t c = h * part; c < (h + 1) * part; ++c)
            score += q.data<double>()[i * width + c] * k.data<double>()[j * width + c];
          s.mutable_data<double>()[(h * n + i) * m + j] = score * scale_;
          ds.mutable_data<double>()[(h * n + i) * m + j] = weights[j] * (dweights[j] - average);
        }
      }
    }
    values["S"] = s;
    values["dS"] = ds;
  }

  Matrices given_;
  int64_t heads_ = 1;
  double scale_ = 1;
  Mask mask_;
};

void check_numbers(const Study& shown) {
  const Json preset = parse_json(to_text(to_json(shown)), "document");
  const Recomputed expected(preset);
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

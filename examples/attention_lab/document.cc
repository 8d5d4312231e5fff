#include "examples/attention_lab/document.h"

#include <fmt/format.h>

#include <cstdlib>

namespace mixtape::attention_lab {
namespace {

constexpr const char* kInputs[] = {"X", "memory", "Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo", "G"};
constexpr const char* kForwardNames[] = {"Q", "K", "V", "S", "A", "O", "joined", "Y"};
constexpr const char* kBackwardNames[] = {"dY",  "djoined",  "dO",     "dA",       "dS",  "dQ",      "dK",
                                          "dV",  "dX_query", "dX_key", "dX_value", "dX",  "dmemory", "dWq",
                                          "dbq", "dWk",      "dbk",    "dWv",      "dbv", "dWo",     "dbo"};

Json matrix(int64_t rows, int64_t columns, const double* values) {
  return {{"rows", rows}, {"columns", columns}, {"values", Json::Array(values, values + rows * columns)}};
}

template <size_t size>
Json members(const Matrices& matrices, const char* const (&names)[size]) {
  Json::Object result;
  for (const char* name : names) result.push_back({name, to_json(find(matrices, name))});
  return result;
}

// Ten digits, to limit the size of the page.
Tensor rounded(const Tensor& x) {
  if (!x) return x;
  Tensor result = x.clone();
  double* values = result.mutable_data<double>();
  for (int64_t i = 0; i < x.elements(); ++i)
    values[i] = std::strtod(fmt::format("{:.10g}", values[i]).c_str(), nullptr);
  return result;
}

bool is_wide(const AttentionLayer& layer) { return layer.given.at("X").size(1) > kWidest; }

// None for the weights of a wide layer: they are many, and the page computes those it shows.
Matrices numeric_of(const Study& study) {
  Matrices result;
  const bool wide = is_wide(study.preset.attention);
  for (const auto& [name, value] : study.numeric)
    if (!name.starts_with("dW") || !wide) result[name] = wide ? rounded(value) : value;
  return result;
}

Json mask_of(const Tensor& mask) {
  Json::Array rows;
  const int32_t* seen = mask.data<int32_t>();
  for (int64_t i = 0; i < mask.size(0); ++i, seen += mask.size(1))
    rows.emplace_back(Json::Array(seen, seen + mask.size(1)));
  return rows;
}

bool is_causal(const AttentionLayer& layer) {
  const int32_t* seen = layer.mask.data<int32_t>();
  for (int64_t i = 0; i < layer.queries(); ++i)
    for (int64_t j = 0; j < layer.keys(); ++j)
      if ((*seen++ != 0) != (j <= i + layer.keys() - layer.queries())) return false;
  return layer.keys() > 1;
}

Json strings(const std::vector<std::string>& list) { return Json::Array(list.begin(), list.end()); }
Json numbers(const std::vector<double>& list) { return Json::Array(list.begin(), list.end()); }

Json curve_of(const ErrorCurve& curve) {
  Json::Array points;
  for (const auto& [step, error] : curve.points) points.push_back({{"step", step}, {"error", error}});
  return {{"matrix", curve.matrix}, {"row", curve.row}, {"column", curve.column}, {"points", std::move(points)}};
}

Json line_of(const TapeLine& line) {
  const LineView& view = line.view;
  return {{"line", view.line},
          {"op", view.op},
          {"path", view.path},
          {"inputs", Json::Array(view.inputs.begin(), view.inputs.end())},
          {"shape", Json::Array(view.shape.begin(), view.shape.end())},
          {"saved_bytes", view.saved_bytes},
          {"saved", strings(line.saved)},
          {"backward", view.backward},
          {"rule_of", view.rule_of},
          {"formula", line.formula},
          {"rule", line.rule},
          {"matrices", strings(line.matrices)}};
}

Json tape_of(const std::vector<TapeLine>& tape) {
  Json::Array lines;
  for (const TapeLine& line : tape) lines.push_back(line_of(line));
  return lines;
}

Json overview_of(const Preset& preset) {
  Json::Array layers, norms;
  for (const auto& [name, a, da] : preset.weights) {
    const bool wide = is_wide(preset.attention);
    layers.push_back({{"name", name}, {"A", to_json(wide ? rounded(a) : a)}, {"dA", to_json(wide ? rounded(da) : da)}});
  }
  for (const auto& [step, layer, dq, dk, dv] : preset.norms)
    norms.push_back({{"step", step}, {"layer", layer}, {"dQ", dq}, {"dK", dk}, {"dV", dv}});
  return {{"layers", std::move(layers)}, {"norms", std::move(norms)}};
}

Json tiled_of(const Tiled& tiled) {
  Json::Array rows;
  for (size_t i = 0; i < tiled.rows.size(); ++i) {
    Json::Array blocks;
    for (const TiledBlock& block : tiled.rows[i]) {
      blocks.push_back({{"first", block.first},
                        {"scores", numbers(block.scores)},
                        {"max", block.max},
                        {"sum", block.sum},
                        {"shrink", block.shrink},
                        {"output", numbers(block.output)}});
    }
    rows.push_back({{"query", static_cast<int64_t>(i)}, {"blocks", std::move(blocks)}});
  }
  return {{"block", tiled.block}, {"rows", std::move(rows)}, {"difference", tiled.difference}};
}

Json picture_of(const std::optional<Picture>& picture) {
  if (!picture) return nullptr;
  return {{"uri", picture->uri}, {"rows", picture->rows}, {"columns", picture->columns}};
}

Json cost_of(const Cost& cost) { return {{"seconds", cost.seconds}, {"bytes", cost.bytes}}; }

}  // namespace

Json to_json(const Tensor& x) {
  if (!x) return nullptr;
  if (x.rank() < 2) return matrix(1, x.elements(), x.data<double>());
  if (x.rank() == 2) return matrix(x.size(0), x.size(1), x.data<double>());
  Json::Array list;
  for (int64_t i = 0; i < x.size(0); ++i)
    list.push_back(matrix(x.size(1), x.size(2), x.data<double>() + i * x.size(1) * x.size(2)));
  return list;
}

Json to_json(const Study& study) {
  const Preset& preset = study.preset;
  const AttentionLayer& layer = preset.attention;
  const int64_t joined = layer.given.at("Wq").size(0);
  Json forward = members(study.forward, kForwardNames);
  forward["L"] = study.forward.at("L").item();
  return {{"name", preset.name},
          {"title", preset.title},
          {"about", preset.about},
          {"kind", preset.kind},
          {"queries", strings(preset.queries)},
          {"keys", strings(preset.keys)},
          {"picture", picture_of(preset.picture)},
          {"layer", preset.layer},
          {"layers", strings(preset.layers)},
          {"head", preset.head},
          {"query", preset.query},
          {"heads", layer.heads},
          {"width", layer.given.at("X").size(1)},
          {"head_width", joined / layer.heads},
          {"scale", layer.scale},
          {"causal", is_causal(layer)},
          {"mask", mask_of(layer.mask)},
          {"inputs", members(layer.given, kInputs)},
          {"forward", std::move(forward)},
          {"backward", members(study.backward, kBackwardNames)},
          {"numeric", members(numeric_of(study), kBackwardNames)},
          {"curve", curve_of(study.curve)},
          {"tape", tape_of(study.tape)},
          {"hessian",
           {{"of", "X"},
            {"direction", to_json(study.hessian.direction)},
            {"product", to_json(study.hessian.product)},
            {"numeric", to_json(study.hessian.numeric)}}},
          {"overview", overview_of(preset)},
          {"tiled", tiled_of(study.tiled)}};
}

Json to_document(const std::vector<Study>& studies, const std::vector<CostRow>& costs) {
  Json::Array presets, rows;
  for (const Study& study : studies) presets.push_back(to_json(study));
  for (const CostRow& row : costs) {
    rows.push_back({{"length", row.length},
                    {"full", cost_of(row.full)},
                    {"tiled", cost_of(row.tiled)},
                    {"windowed", cost_of(row.windowed)},
                    {"linear", cost_of(row.linear)}});
  }
  return {{"version", 1}, {"presets", std::move(presets)}, {"cost", std::move(rows)}};
}

}  // namespace mixtape::attention_lab

#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "autograd/files/json.h"
#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "examples/attention_lab/layer.h"

namespace mixtape::attention_lab {

/// A matrix of the lab's document.
inline Tensor tensor_of(const Json& matrix) {
  std::vector<double> values;
  for (const Json& value : matrix.at("values").get<Json::Array>()) values.push_back(value.number());
  return Tensor::from(values, {matrix.at("rows").get<int64_t>(), matrix.at("columns").get<int64_t>()}, f64);
}

/// A list of matrices as one [H, .., ..] tensor.
inline Tensor stack_of(const Json& list) {
  std::vector<Tensor> heads;
  for (const Json& matrix : list.get<Json::Array>()) {
    const Tensor head = tensor_of(matrix);
    heads.push_back(head.view(Shape{1, head.size(0), head.size(1)}));
  }
  return concat(heads, 0);
}

inline Tensor any_of(const Json& value) { return value.get_if<Json::Array>() ? stack_of(value) : tensor_of(value); }

inline void check_equal(const std::string& name, const Tensor& a, const Tensor& b, double tolerance = 1e-12) {
  CAPTURE(name);
  const std::vector<double> left = a.values(), right = b.values();
  REQUIRE(left.size() == right.size());
  double worst = 0;
  for (size_t i = 0; i < left.size(); ++i)
    worst = std::max(worst, std::abs(left[i] - right[i]) / std::max(1.0, std::abs(right[i])));
  CHECK(worst <= tolerance);
}

/// The layer of a document's preset.
inline AttentionLayer layer_of(const Json& preset) {
  AttentionLayer layer;
  std::vector<int32_t> seen;
  const auto& rows = preset.at("mask").get<Json::Array>();
  for (const Json& row : rows)
    for (const Json& cell : row.get<Json::Array>()) seen.push_back(static_cast<int32_t>(cell.get<int64_t>()));
  const auto queries = std::ssize(rows);
  layer.mask = Tensor::from(seen, {queries, std::ssize(seen) / queries});
  for (const auto& [name, value] : preset.at("inputs").get<Json::Object>()) {
    if (value.is_null()) continue;
    const Tensor x = tensor_of(value);
    layer.given[name] = name.starts_with("b") ? x.view({x.elements()}) : x;
  }
  layer.heads = preset.at("heads").get<int64_t>();
  layer.scale = preset.at("scale").number();
  return layer;
}

/// All numbers of a layer again, in other ways than the lab's: with the fused attention op, and in plain loops.
class Recomputed {
 public:
  Matrices values;  ///< by the document's names

  explicit Recomputed(const AttentionLayer& layer)
      : given_(layer.given), heads_(layer.heads), scale_(layer.scale), mask_(allowed_pairs(layer.mask)) {
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
  int64_t heads_;
  double scale_;
  Mask mask_;
};

}  // namespace mixtape::attention_lab

#include "examples/attention_lab/layer.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"

namespace mixtape::attention_lab {
namespace {

// [T, H D] -> [H, T, D]
Tensor by_heads(const Tensor& x, int64_t heads) {
  return transpose(reshape(x, {x.size(0), heads, x.size(1) / heads}), 0, 1);
}

// [H, T, D] -> [T, H D]
Tensor side_by_side(const Tensor& x) { return reshape(transpose(x, 0, 1), Shape{x.size(1), x.size(0) * x.size(2)}); }

}  // namespace

Tensor find(const Matrices& matrices, std::string_view name) {
  const auto found = matrices.find(name);
  return found == matrices.end() ? Tensor() : found->second;
}

bool AttentionLayer::hides() const {
  const int32_t* seen = mask.data<int32_t>();
  return std::any_of(seen, seen + mask.elements(), [](int32_t sees) { return sees == 0; });
}

Tensor run(const AttentionLayer& layer, const OnTensor& on_tensor) {
  const auto given = [&](const char* name) {
    const Tensor value = find(layer.given, name);
    return value ? on_tensor(name, value) : value;
  };
  const Tensor x = given("X"), memory = given("memory"), asked = memory ? memory : x;
  const auto project = [&](const char* name, const char* way, const Tensor& from, const char* weight,
                           const char* bias) {
    const Tensor matrix = given(weight), offset = given(bias);
    return on_tensor(name, linear(on_tensor(way, from), matrix, offset));
  };
  const Tensor q = project("Q", "X_query", x, "Wq", "bq");
  const Tensor k = project("K", "X_key", asked, "Wk", "bk");
  const Tensor v = project("V", "X_value", asked, "Wv", "bv");

  const Tensor q_heads = on_tensor("Q_heads", by_heads(q, layer.heads));
  const Tensor k_heads = on_tensor("K_heads", by_heads(k, layer.heads));
  const Tensor v_heads = on_tensor("V_heads", by_heads(v, layer.heads));
  const Tensor product = on_tensor("product", matmul(q_heads, k_heads, {.transpose_b = true}));
  Tensor scores = on_tensor("S", product * layer.scale);
  if (layer.hides()) scores = on_tensor("masked", where(layer.mask, scores, Tensor::scalar(-INFINITY, f64)));
  const Tensor a = on_tensor("A", softmax(scores));
  const Tensor o = on_tensor("O", matmul(a, v_heads));
  Tensor y = on_tensor("joined", side_by_side(o));
  if (layer.given.contains("Wo")) {
    const Tensor matrix = given("Wo"), offset = given("bo");
    y = linear(y, matrix, offset);
  }
  y = on_tensor("Y", y);
  return on_tensor("L", sum(y * given("G")));
}

AttentionLayer only_head(const AttentionLayer& layer, int64_t head) {
  AttentionLayer result = layer;
  const int64_t width = layer.given.at("Wq").size(0) / layer.heads, first = head * width;
  for (const char* name : {"Wq", "Wk", "Wv", "bq", "bk", "bv"})
    result.given[name] = slice(layer.given.at(name), 0, first, first + width);
  if (layer.given.contains("Wo")) result.given["Wo"] = slice(layer.given.at("Wo"), 1, first, first + width);
  result.heads = 1;
  return result;
}

}  // namespace mixtape::attention_lab

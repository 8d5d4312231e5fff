#include "autograd/ops.h"
#include "tests/autograd/gradient_table.h"

namespace mixtape::tests {

using In = const std::vector<Tensor>&;

std::vector<GradientRow> layout_rows() {
  const Shape s{2, 3, 4};
  // Eighths and whole steps are exact in f32, so that a derivative through f32 can be checked as closely as any.
  const Tensor eighths = Tensor::from(std::vector<double>{0.125, -0.5, 1.25, 2, -1.375, 0.75}, {2, 3}, f64);
  return {
      {"reshape",
       [](In x) {
         return reshape(x[0], {4, 6});
       },
       {normal(s)}},
      {"reshape, one size worked out",
       [](In x) {
         return reshape(x[0], {-1, 2});
       },
       {normal(s)}},
      {"reshape, used twice",
       [](In x) {
         return x[0] * reshape(reshape(x[0], {3, 2}), {2, 3});
       },
       {normal({2, 3})}},
      {"transpose", [](In x) { return transpose(x[0]); }, {normal(s)}},
      {"transpose, outer axes", [](In x) { return transpose(x[0], 0, 2); }, {normal(s)}},
      {"transpose, an axis with itself", [](In x) { return transpose(x[0], 1, 1); }, {normal(s)}},
      {"transpose, times itself", [](In x) { return x[0] * transpose(x[0]); }, {normal({3, 3})}},
      {"broadcast_to",
       [](In x) {
         return broadcast_to(x[0], {2, 3, 4});
       },
       {normal({3, 1})}},
      {"broadcast_to, a scalar",
       [](In x) {
         return broadcast_to(x[0], {2, 2});
       },
       {normal({})}},
      {"concat, first axis",
       [](In x) {
         return concat({x[0], x[1], x[2]}, 0);
       },
       {normal({1, 2}), normal({3, 2}), normal({2, 2})}},
      {"concat, last axis",
       [](In x) {
         return concat({x[0], x[1]}, -1);
       },
       {normal({2, 3, 1}), normal(s)}},
      {"concat, one value twice",
       [](In x) {
         return concat({x[0], x[0]}, 1);
       },
       {normal({2, 3})}},
      {"concat, more than four parts",
       [](In x) {
         return concat({x[0], x[1], x[2], x[3], x[4], x[0]}, 0);
       },
       {normal({1}), normal({2}), normal({0}), normal({1}), normal({3})}},
      {"split",
       [](In x) {
         const std::vector<Tensor> parts = split(x[0], {1, 2, 1}, -1);
         return parts[1] * parts[0] * parts[2];
       },
       {normal(s)}},
      {"split, a part unused",
       [](In x) {
         return split(x[0], {1, 1}, 0)[1];
       },
       {normal(s)}},
      {"slice, first axis", [](In x) { return slice(x[0], 0, 1, 2); }, {normal(s)}},
      {"slice, last axis", [](In x) { return slice(x[0], -1, 1, 3); }, {normal(s)}},
      {"slice, overlapping", [](In x) { return slice(x[0], 0, 0, 2) * slice(x[0], 0, 1, 3); }, {normal({3, 2})}},
      {"place",
       [](In x) {
         return place(x[0], {2, 5, 4}, 1, 1);
       },
       {normal(s)}},
      {"place, last axis",
       [](In x) {
         return place(x[0], {2, 3, 6}, -1, 2);
       },
       {normal(s)}},
      {"cast", [](In x) { return cast(cast(x[0], f32), f64); }, {eighths}, {.step = 1}},
      {"cast, to what it is", [](In x) { return cast(x[0], f64) * 1.0; }, {normal(s)}},
  };
}

std::vector<GradientRow> indexing_rows() {
  const Shape s{2, 3, 4};
  const Tensor last = integers({0, 3, 1, 1, 2, 2, 0, 0, 3, 3, 1, 0}, {2, 3, 2});
  const Tensor middle = integers({0, 2, 1, 1, 2, 2, 0, 0}, {2, 1, 4});
  const Tensor words = integers({2, 0, 2, 4, 1, 2}, {2, 3});
  const Bounds bounds({2, 0, 3, 1});
  return {
      {"gather, last axis", [](In x) { return gather(x[0], x[1], -1); }, {normal(s), last}},
      {"gather, middle axis", [](In x) { return gather(x[0], x[1], 1); }, {normal(s), middle}},
      {"scatter_add, last axis",
       [](In x) {
         return scatter_add(x[0], x[1], -1, {2, 3, 4});
       },
       {normal({2, 3, 2}), last}},
      {"scatter_add, middle axis",
       [](In x) {
         return scatter_add(x[0], x[1], 1, {2, 3, 4});
       },
       {normal({2, 1, 4}), middle}},
      {"embedding", [](In x) { return embedding(x[0], x[1]); }, {words, normal({5, 3})}},
      {"embedding, one index", [](In x) { return embedding(x[0], x[1]); }, {integers({3}, {}), normal({5, 3})}},
      {"embedding, tied to the output",
       [](In x) { return linear(embedding(x[0], x[1]), x[1]); },
       {words, normal({5, 2})}},
      {"embedding_grad", [](In x) { return embedding_grad(x[0], x[1], 5); }, {normal({2, 3, 4}), words}},
      {"to_padded", [bounds](In x) { return to_padded(x[0], bounds); }, {normal({6, 2})}},
      {"to_padded, rank 1", [bounds](In x) { return to_padded(x[0], bounds); }, {normal({6})}},
      {"to_packed", [bounds](In x) { return to_packed(x[0], bounds); }, {normal({4, 3, 2})}},
      {"to_packed, of to_padded",
       [bounds](In x) { return to_packed(to_padded(x[0], bounds), bounds) * x[0]; },
       {normal({6, 2, 2})}},
  };
}

}  // namespace mixtape::tests

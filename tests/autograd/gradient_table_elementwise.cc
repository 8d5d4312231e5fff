#include "autograd/ops.h"
#include "tests/autograd/gradient_table.h"

namespace mixtape::tests {

using In = const std::vector<Tensor>&;

std::vector<GradientRow> elementwise_rows() {
  const Shape s{2, 3};
  return {
      {"operator+", [](In x) { return x[0] + x[1]; }, {normal(s), normal(s, 2)}},
      {"operator+, left stretched", [](In x) { return x[0] + x[1]; }, {normal({3}), normal(s)}},
      {"operator+, right stretched", [](In x) { return x[0] + x[1]; }, {normal(s), normal({2, 1})}},
      {"operator+, both stretched", [](In x) { return x[0] + x[1]; }, {normal({2, 1, 3}), normal({4, 1})}},
      {"operator+, of itself", [](In x) { return x[0] + x[0]; }, {normal(s)}},
      {"operator+, a number", [](In x) { return 2.5 + (x[0] + 1.5); }, {normal(s)}},
      {"operator-", [](In x) { return x[0] - x[1]; }, {normal(s), normal(s, 2)}},
      {"operator-, left stretched", [](In x) { return x[0] - x[1]; }, {normal({1, 3}), normal(s)}},
      {"operator-, right stretched", [](In x) { return x[0] - x[1]; }, {normal(s), normal({})}},
      {"operator-, of itself", [](In x) { return x[0] - x[0] * 3.0; }, {normal(s)}},
      {"operator-, a number and its opposite", [](In x) { return 2.0 - (-(x[0] - 1.0)); }, {normal(s)}},
      {"operator*", [](In x) { return x[0] * x[1]; }, {normal(s), normal(s, 2)}},
      {"operator*, left stretched", [](In x) { return x[0] * x[1]; }, {normal({3}), normal(s)}},
      {"operator*, right stretched", [](In x) { return x[0] * x[1]; }, {normal(s), normal({2, 1})}},
      {"operator*, both stretched", [](In x) { return x[0] * x[1]; }, {normal({3, 1}), normal({1, 4})}},
      {"operator*, of itself", [](In x) { return x[0] * x[0]; }, {normal(s)}},
      {"operator*, a constant",
       [](In x) {
         return x[0] * positive({2, 3});
       },
       {normal(s)}},
      {"operator*, a number", [](In x) { return 3.0 * (x[0] * -0.5); }, {normal(s)}},
      {"operator*, no elements", [](In x) { return sum(x[0] * x[1]); }, {normal({0, 3}), normal({3})}},
      {"operator/", [](In x) { return x[0] / x[1]; }, {normal(s), positive(s)}},
      {"operator/, left stretched", [](In x) { return x[0] / x[1]; }, {normal({3}), positive(s)}},
      {"operator/, right stretched", [](In x) { return x[0] / x[1]; }, {normal(s), positive({2, 1})}},
      {"operator/, of itself", [](In x) { return x[0] / (x[0] * x[0]); }, {positive(s)}},
      {"operator/, a number", [](In x) { return x[0] / 4.0; }, {normal(s)}},
      {"exp", [](In x) { return exp(x[0]); }, {normal(s)}},
      {"log", [](In x) { return log(x[0]); }, {positive(s)}},
      {"sqrt", [](In x) { return sqrt(x[0]); }, {positive(s)}},
      {"tanh", [](In x) { return tanh(x[0]); }, {normal(s)}},
      {"erf", [](In x) { return erf(x[0]); }, {normal(s)}},
      {"relu", [](In x) { return relu(x[0]); }, {off_zero({3, 5})}},
      {"gelu", [](In x) { return gelu(x[0]); }, {normal({3, 5})}},
      {"gelu_tanh", [](In x) { return gelu_tanh(x[0]); }, {normal({3, 5})}},
      {"activate, gelu", [](In x) { return activate(x[0], Activation::gelu); }, {normal({3, 5})}},
      {"greater, as a condition",
       [](In x) { return where(greater(x[0], x[1]), x[0] * x[0], x[1]); },
       {spread(s), normal(s) * 0.01}},
      {"where",
       [](In x) { return where(x[0], x[1], x[2]); },
       {integers({1, 0, 2, 0, 0, -1}, s), normal(s), normal(s, 2)}},
      {"where, all stretched",
       [](In x) { return where(x[0], x[1], x[2]); },
       {integers({1, 0, 1}, {3}), normal({2, 1}), normal({})}},
      {"where, one value on both sides",
       [](In x) { return where(x[0], x[1], x[1] * x[1]); },
       {integers({1, 0}, {2, 1}), normal(s)}},
  };
}

std::vector<GradientRow> reduction_rows() {
  const Shape s{2, 3, 4};
  return {
      {"sum", [](In x) { return sum(x[0]); }, {normal(s)}},
      {"sum, a scalar", [](In x) { return sum(x[0]); }, {normal({})}},
      {"sum, first axis", [](In x) { return sum(x[0], 0); }, {normal(s)}},
      {"sum, middle axis kept", [](In x) { return sum(x[0], 1, true); }, {normal(s)}},
      {"sum, last axis", [](In x) { return sum(x[0], -1); }, {normal(s)}},
      {"mean", [](In x) { return mean(x[0]); }, {normal(s)}},
      {"mean, first axis kept", [](In x) { return mean(x[0], 0, true); }, {normal(s)}},
      {"mean, last axis", [](In x) { return mean(x[0], -1); }, {normal(s)}},
      {"max, first axis", [](In x) { return max(x[0], 0); }, {spread(s)}},
      {"max, middle axis kept", [](In x) { return max(x[0], 1, true); }, {spread(s)}},
      {"max, last axis", [](In x) { return max(x[0], -1); }, {spread(s)}},
      {"argmax, as indices",
       [](In x) {
         return gather(x[0] * x[0], reshape(argmax(x[0], -1), {2, 3, 1}), -1);
       },
       {spread(s)}},
      {"top_k", [](In x) { return top_k(x[0], 2).values; }, {spread(s)}},
      {"top_k, all", [](In x) { return top_k(x[0], 4).values; }, {spread(s)}},
      {"sum_to",
       [](In x) {
         return sum_to(x[0], {3, 1});
       },
       {normal(s)}},
      {"sum_to, a scalar", [](In x) { return sum_to(x[0], {}); }, {normal(s)}},
      {"sum_to, its own shape",
       [](In x) {
         return sum_to(x[0], {2, 3, 4}) * 1.0;
       },
       {normal(s)}},
  };
}

std::vector<GradientRow> product_rows() {
  return {
      {"matmul", [](In x) { return matmul(x[0], x[1]); }, {normal({3, 4}), normal({4, 2})}},
      {"matmul, left transposed",
       [](In x) { return matmul(x[0], x[1], {.transpose_a = true}); },
       {normal({4, 3}), normal({4, 2})}},
      {"matmul, right transposed",
       [](In x) { return matmul(x[0], x[1], {.transpose_b = true}); },
       {normal({3, 4}), normal({2, 4})}},
      {"matmul, both transposed",
       [](In x) {
         return matmul(x[0], x[1], {true, true});
       },
       {normal({4, 3}), normal({2, 4})}},
      {"matmul, batches", [](In x) { return matmul(x[0], x[1]); }, {normal({2, 3, 4}), normal({2, 4, 2})}},
      {"matmul, left stretched", [](In x) { return matmul(x[0], x[1]); }, {normal({3, 4}), normal({2, 4, 2})}},
      {"matmul, right stretched and transposed",
       [](In x) { return matmul(x[0], x[1], {.transpose_b = true}); },
       {normal({2, 3, 4}), normal({2, 4})}},
      {"matmul, both stretched and transposed",
       [](In x) {
         return matmul(x[0], x[1], {true, true});
       },
       {normal({2, 1, 4, 3}), normal({3, 2, 4})}},
      {"matmul, of itself", [](In x) { return matmul(x[0], x[0], {.transpose_b = true}); }, {normal({3, 2})}},
      {"matmul, nothing to add up", [](In x) { return matmul(x[0], x[1]); }, {normal({2, 0}), normal({0, 3})}},
      {"linear", [](In x) { return linear(x[0], x[1], x[2]); }, {normal({3, 4}), normal({2, 4}), normal({2})}},
      {"linear, no bias", [](In x) { return linear(x[0], x[1]); }, {normal({3, 4}), normal({2, 4})}},
      {"linear, one row", [](In x) { return linear(x[0], x[1], x[2]); }, {normal({4}), normal({2, 4}), normal({2})}},
      {"linear, batches",
       [](In x) { return linear(x[0], x[1], x[2]); },
       {normal({2, 2, 3}), normal({4, 3}), normal({4})}},
      {"linear, of relu",
       [](In x) { return linear(relu(x[0] * 1.0), x[1], x[2]); },
       {off_zero({3, 4}), normal({2, 4}), normal({2})}},
      {"linear, of gelu",
       [](In x) { return linear(gelu(x[0] * 1.0), x[1], x[2]); },
       {normal({2, 3, 4}), normal({2, 4}), normal({2})}},
      {"linear, of gelu_tanh, no bias",
       [](In x) { return linear(gelu_tanh(x[0] * 1.0), x[1]); },
       {normal({3, 4}), normal({2, 4})}},
      {"linear, two of one activation, which is read elsewhere too",
       [](In x) {
         const Tensor y = gelu(x[0] * 1.0);
         return linear(y, x[1]) * linear(y, x[2]) + sum(y * y, -1, true);
       },
       {normal({3, 4}), normal({2, 4}), normal({2, 4}, 2)}},
      {"linear, nothing in",
       [](In x) { return linear(x[0], x[1], x[2]); },
       {normal({3, 0}), normal({2, 0}), normal({2})}},
      {"linear, of gelu, no rows",
       [](In x) { return linear(gelu(x[0] * 1.0), x[1], x[2]); },
       {normal({0, 4}), normal({2, 4}), normal({2})}},
      {"linear, constant weight",
       [](In x) {
         return linear(x[0], normal({2, 4}, 7), x[1]);
       },
       {normal({3, 4}), normal({2})}},
      {"linear, weight used twice",
       [](In x) { return linear(tanh(linear(x[0], x[1])), x[1]); },
       {normal({2, 3}), normal({3, 3})}},
  };
}

std::vector<GradientRow> fused_rows() {
  const Tensor x = normal({4, 5}), targets = integers({1, 4, -1, 0}, {4});
  const GradcheckOptions trains{.random = RandomKey{11, 3}};
  return {
      {"softmax", [](In in) { return softmax(in[0]); }, {x}},
      {"softmax, far apart", [](In in) { return softmax(in[0] * 20.0); }, {spread({2, 5}) * 0.2}},
      {"softmax, one class", [](In in) { return softmax(in[0]); }, {normal({3, 1})}},
      {"log_softmax", [](In in) { return log_softmax(in[0]); }, {x}},
      {"log_softmax, rank 3", [](In in) { return log_softmax(in[0]); }, {normal({2, 2, 3})}},
      {"layer_norm", [](In in) { return layer_norm(in[0], in[1], in[2]); }, {x, positive({5}), normal({5})}},
      {"layer_norm, large epsilon",
       [](In in) { return layer_norm(in[0], in[1], in[2], 0.5); },
       {normal({2, 2, 4}), positive({4}), normal({4})}},
      {"layer_norm, gamma is beta", [](In in) { return layer_norm(in[0], in[1], in[1]); }, {x, positive({5})}},
      {"batch_norm",
       [](In in) { return batch_norm(in[0], in[1], in[2]).y; },
       {normal({5, 3}), positive({3}), normal({3})}},
      {"batch_norm, images and a large epsilon",
       [](In in) { return batch_norm(in[0], in[1], in[2], 0.5).y; },
       {normal({2, 2, 3, 2}), positive({2}), normal({2})}},
      {"batch_norm, gamma is beta", [](In in) { return batch_norm(in[0], in[1], in[1]).y; }, {x, positive({5})}},
      {"dropout", [](In in) { return dropout(in[0], 0.4); }, {normal({4, 6})}, trains},
      {"dropout, twice", [](In in) { return dropout(dropout(in[0], 0.3) * in[0], 0.3); }, {normal({4, 6})}, trains},
      {"dropout, not training", [](In in) { return dropout(in[0], 0.4) * 1.0; }, {normal({4, 6})}},
      {"stochastic_depth", [](In in) { return stochastic_depth(in[0], 0.5); }, {normal({6, 2, 2})}, trains},
      {"stochastic_depth, packed",
       [](In in) {
         return stochastic_depth(in[0], 0.5, Bounds({1, 3, 0, 2, 1})) * in[0];
       },
       {normal({7, 2})},
       trains},
      {"cross_entropy", [](In in) { return cross_entropy(in[0], in[1]); }, {x, integers({1, 4, 2, 0}, {4})}},
      {"cross_entropy, ignored rows", [](In in) { return cross_entropy(in[0], in[1]); }, {x, targets}},
      {"cross_entropy, smoothed",
       [](In in) { return cross_entropy(in[0], in[1], {.label_smoothing = 0.1}); },
       {x, targets}},
      {"cross_entropy, sum",
       [](In in) { return cross_entropy(in[0], in[1], {.label_smoothing = 0.3, .reduction = Reduction::sum}); },
       {x, targets}},
      {"cross_entropy, ignored class",
       [](In in) { return cross_entropy(in[0], in[1], {.label_smoothing = 1, .ignored = 4}); },
       {x, integers({1, 4, 2, 0}, {4})}},
      {"cross_entropy, all ignored",
       [](In in) { return cross_entropy(in[0], in[1]) + sum(in[0]); },
       {x, integers({-1, -1, -1, -1}, {4})}},
      {"soft_cross_entropy",
       [](In in) {
         return soft_cross_entropy(in[0], positive({4, 5}));
       },
       {x}},
      {"soft_cross_entropy, smoothed sum",
       [](In in) {
         return soft_cross_entropy(in[0], positive({4, 5}), {.label_smoothing = 0.3, .reduction = Reduction::sum});
       },
       {x}},
      {"soft_cross_entropy, by its targets, too",
       [](In in) { return soft_cross_entropy(in[0], in[1], {.label_smoothing = 0.1}); },
       {x, positive({4, 5})}},
  };
}

}  // namespace mixtape::tests

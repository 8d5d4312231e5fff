#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>

#include "autograd/ops.h"
#include "autograd/tape/scope.h"
#include "autograd/tensors/error.h"

using namespace mixtape;

namespace {

struct WrongCall {
  std::function<void()> call;
  const char* message;
};

Tensor x(const Shape& shape, DType dtype = f32) { return Tensor::zeros(shape, dtype); }
Tensor index(const std::vector<int32_t>& values) { return Tensor::from(values, {static_cast<int64_t>(values.size())}); }

void check(const std::vector<WrongCall>& calls) {
  for (const WrongCall& wrong : calls) {
    INFO(std::string(wrong.message));
    CHECK_THROWS_WITH_AS(wrong.call(), wrong.message, Error);
  }
}

}  // namespace

TEST_CASE("wrong elementwise calls and reductions") {
  check({
      {[] {
         x({2, 3}) + x({4});
       },
       "add: [2, 3] and [4] do not broadcast"},
      {[] { x({2}) - x({2}, f64); }, "subtract: dtypes differ: f32 [2] and f64 [2]"},
      {[] { x({2}) * Tensor::range(2); }, "multiply: dtypes differ: f32 [2] and i32 [2]"},
      {[] { Tensor::range(2) / x({2}); }, "divide: i32 [2], expected f32 or f64"},
      {[] { Tensor::range(2) * 2.0; }, "scale: i32 [2], expected f32 or f64"},
      {[] { Tensor::range(2) + 2.0; }, "shift: i32 [2], expected f32 or f64"},
      {[] { exp(Tensor::range(3)); }, "exp: i32 [3], expected f32 or f64"},
      {[] { greater(x({2}), x({1})); }, "greater: shapes differ: [2] and [1]"},
      {[] { where(x({2}), x({2}), x({2})); }, "where: indices are f32, expected i32"},
      {[] { where(Tensor::range(2), x({3}), x({2})); }, "where: [3] and [2] do not broadcast"},
      {[] {
         sum(x({2, 3}), 2);
       },
       "axis 2 is out of range for [2, 3]"},
      {[] {
         max(x({2, 0}), 1);
       },
       "argmax: axis 1 of [2, 0] is empty"},
      {[] {
         top_k(x({2, 3}), 4);
       },
       "top_k: 4 of the 3 elements of [2, 3]"},
      {[] { top_k(x({}), 1); }, "top_k: a scalar, expected at least one axis"},
      {[] {
         sum_to(x({2, 3}), {2, 2});
       },
       "sum_to: [2, 2] and [2, 3] do not broadcast"},
      {[] {
         sum_to(x({3}), {2, 3});
       },
       "sum_to: [2, 3] does not stretch to [3]"},
  });
}

TEST_CASE("wrong products") {
  check({
      {[] {
         matmul(x({2, 3}), x({4, 5}));
       },
       "matmul: inner sizes differ: [2, 3] x [4, 5]"},
      {[] {
         matmul(x({2, 3}), x({3, 5}), {true, false});
       },
       "matmul: inner sizes differ: [2, 3]' x [3, 5]"},
      {[] {
         matmul(x({3}), x({3, 5}));
       },
       "matmul: [3] x [3, 5], expected at least two axes each"},
      {[] {
         matmul(x({2, 3, 4}), x({3, 4, 5}));
       },
       "matmul: [2] and [3] do not broadcast"},
      {[] {
         linear(x({2, 3}), x({4, 5}));
       },
       "linear: input [2, 3] and weight [4, 5], expected [..., in] and [out, in]"},
      {[] {
         linear(x({2, 5}), x({4, 5}), x({5}));
       },
       "linear: bias [5] for weight [4, 5], expected [4]"},
      {[] {
         linear(x({2, 5}), x({4, 5}), x({4}, f64));
       },
       "linear: dtypes differ: f32 [2, 5] and f64 [4]"},
  });
}

TEST_CASE("wrong shapes and indices") {
  check({
      {[] {
         reshape(x({2, 3}), {4, 2});
       },
       "reshape: [2, 3] has 6 elements, [4, 2] has 8"},
      {[] {
         reshape(x({2, 3}), {4, -1});
       },
       "reshape: [2, 3] has 6 elements, [4, 1] has 4"},
      {[] {
         reshape(x({2, 3}), {-1, -1});
       },
       "reshape: more than one size is -1"},
      {[] { transpose(x({3})); }, "axis -2 is out of range for [3]"},
      {[] {
         broadcast_to(x({2}), {2, 3});
       },
       "broadcast_to: [2] and [2, 3] do not broadcast"},
      {[] {
         broadcast_to(x({2, 3}), {3});
       },
       "broadcast_to: [2, 3] does not stretch to [3]"},
      {[] { concat({}, 0); }, "concat: no parts"},
      {[] {
         concat({x({2, 3}), x({2, 4})}, 0);
       },
       "concat: f32 [2, 3] and f32 [2, 4] do not join along axis 0"},
      {[] {
         concat({x({2}), x({2}, f64)}, 0);
       },
       "concat: f32 [2] and f64 [2] do not join along axis 0"},
      {[] {
         split(x({5}), {2, 2}, 0);
       },
       "split: sizes 2 + 2 do not add up to axis 0 of [5]"},
      {[] {
         slice(x({2, 3}), 1, 2, 4);
       },
       "slice: [2, 4) of axis 1 of [2, 3]"},
      {[] {
         place(x({2, 3}), {2, 4}, 1, 2);
       },
       "place: [2, 3] at 2 of axis 1 of [2, 4]"},
      {[] { cast(Tensor::range(2), f32); }, "cast: i32 [2], expected f32 or f64"},
      {[] {
         gather(x({2, 3}), index({1}), 0);
       },
       "gather: indices [1] along axis 0 of [2, 3]"},
      {[] {
         gather(x({3}), index({0, 3}), 0);
       },
       "gather: index 3 at place 1, expected 0 to 2"},
      {[] { gather(x({3}), x({1}), 0); }, "gather: indices are f32, expected i32"},
      {[] { scatter_add(x({2}), index({0}), 0, {3}); }, "scatter_add: [2] with indices [1]"},
      {[] {
         embedding(index({0, -1}), x({4, 2}));
       },
       "embedding: index -1 at place 1, expected 0 to 3"},
      {[] { embedding(index({0}), x({4})); }, "embedding: table [4], expected [V, C]"},
      {[] {
         embedding_grad(x({3, 2}), index({0}), 4);
       },
       "embedding_grad: [3, 2] with indices [1]"},
      {[] {
         to_padded(x({4, 2}), Bounds({2, 1}));
       },
       "to_padded: [4, 2] with bounds of 3 rows"},
      {[] {
         to_packed(x({2, 3}), Bounds({2, 1}));
       },
       "to_packed: [2, 3] with bounds of 2 sequences up to 2"},
  });
}

TEST_CASE("wrong calls of fused ops") {
  check({
      {[] { softmax(x({})); }, "softmax: a scalar, expected at least one axis"},
      {[] { log_softmax(Tensor::range(2)); }, "log_softmax: i32 [2], expected f32 or f64"},
      {[] {
         layer_norm(x({2, 3}), x({3}), x({2}));
       },
       "layer_norm: input [2, 3] with gamma [3] and beta [2], expected [3]"},
      {[] { dropout(x({2}), 1); }, "dropout: probability 1, expected 0 <= p < 1"},
      {[] { dropout(x({2}), NAN); }, "dropout: probability nan, expected 0 <= p < 1"},
      {[] {
         cross_entropy(x({2, 3}), index({0, 3}));
       },
       "cross_entropy: target 3 in row 1, expected 0 to 2"},
      {[] {
         cross_entropy(x({2, 3}), index({0}));
       },
       "cross_entropy: logits [2, 3] and targets [1], expected [N, V] and [N]"},
      {[] {
         cross_entropy(x({1, 3}), index({0}), {.label_smoothing = 2});
       },
       "cross_entropy: label smoothing 2, expected 0 to 1"},
      {[] {
         scaled_dot_product_attention(x({2, 3}), x({2, 3}), x({2, 3}));
       },
       "attention: query [2, 3], expected [B, T, H, D] or [rows, H, D]"},
      {[] {
         scaled_dot_product_attention(x({2, 3, 4}), x({2, 3, 5}), x({2, 3, 4}));
       },
       "attention: query [2, 3, 4], key [2, 3, 5] and value [2, 3, 4] do not fit"},
      {[] {
         scaled_dot_product_attention(x({2, 1, 4}), x({2, 1, 4}), x({3, 1, 4}));
       },
       "attention: query [2, 1, 4], key [2, 1, 4] and value [3, 1, 4] do not fit"},
      {[] {
         scaled_dot_product_attention(x({4, 1, 1}), x({4, 1, 1}), x({4, 1, 1}), {.query_bounds = Bounds({2, 1})});
       },
       "attention: query [4, 1, 1] with bounds of 3 rows"},
      {[] {
         scaled_dot_product_attention(x({4, 1, 1}), x({4, 1, 1}), x({4, 1, 1}), {.dropout = -1});
       },
       "attention: dropout -1, expected 0 <= p < 1"},
      {[] {
         attention_weights(x({2, 1, 1}), x({2, 1, 1}), {.mask = additive_bias(x({2, 2}, f64))});
       },
       "attention: dtypes differ: f32 [2, 1, 1] and f64 [2, 2]"},
  });
}

TEST_CASE("wrong calls of ops on images") {
  check({
      {[] {
         unfold(x({2, 3, 4}), {2, 2});
       },
       "unfold: images [2, 3, 4], expected [B, H, W, C]"},
      {[] {
         unfold(x({1, 3, 4, 1}), {4, 2});
       },
       "unfold: windows of 4 x 2 do not fit images [1, 3, 4, 1] with padding 0"},
      {[] {
         unfold(x({1, 3, 4, 1}), {2, 2, 0, 1});
       },
       "unfold: windows of 2 x 2, stride 0 and padding 1, expected at least 1, 1, 1 and 0"},
      {[] {
         fold(x({1, 2, 2, 4}), {1, 3, 4, 1}, {2, 2});
       },
       "fold: [1, 2, 2, 4] to images [1, 3, 4, 1], expected [1, 2, 3, 4]"},
      {[] {
         patches(x({1, 4, 6, 1}), 4);
       },
       "patches: [1, 4, 6, 1] in patches of 4 x 4, expected [B, H, W, C] with H and W multiples of it"},
      {[] {
         conv2d(x({1, 4, 4, 2}), x({3, 2, 2, 1}));
       },
       "conv2d: images [1, 4, 4, 2] and weight [3, 2, 2, 1], expected [B, H, W, C] and [O, height, width, C]"},
      {[] {
         conv2d(x({1, 4, 4, 2}), x({3, 2, 2, 2}), x({2}));
       },
       "conv2d: bias [2] for weight [3, 2, 2, 2], expected [3]"},
      {[] {
         conv2d(x({1, 4, 4, 2}), x({3, 2, 2, 2}, f64));
       },
       "conv2d: dtypes differ: f32 [1, 4, 4, 2] and f64 [3, 2, 2, 2]"},
      {[] {
         max_pool2d(x({1, 4, 4, 2}), {.size = 2, .padding = 2});
       },
       "max_pool2d: padding 2 for windows of 2, expected less"},
      {[] {
         average_pool2d(x({1, 4, 4, 2}), {.size = 0});
       },
       "average_pool2d: windows of 0 x 0, stride 0 and padding 0, expected at least 1, 1, 1 and 0"},
      {[] {
         batch_norm(x({2, 3}), x({3}), x({2}));
       },
       "batch_norm: input [2, 3] with gamma [3] and beta [2], expected [3] and at least one row"},
      {[] {
         batch_norm(x({0, 3}), x({3}), x({3}));
       },
       "batch_norm: input [0, 3] with gamma [3] and beta [3], expected [3] and at least one row"},
      {[] {
         soft_cross_entropy(x({2, 3}), x({2, 4}));
       },
       "soft_cross_entropy: logits [2, 3] and targets [2, 4], expected [N, V] both"},
      {[] {
         soft_cross_entropy(x({2, 0}), x({2, 0}));
       },
       "soft_cross_entropy: logits [2, 0], expected at least one class"},
      {[] {
         soft_cross_entropy(x({2, 3}), x({2, 3}), {.label_smoothing = -1});
       },
       "soft_cross_entropy: label smoothing -1, expected 0 to 1"},
      {[] { stochastic_depth(x({2}), 1); }, "stochastic_depth: probability 1, expected 0 <= p < 1"},
      {[] { stochastic_depth(x({2}), 0.1, Bounds({3})); }, "stochastic_depth: [2] with bounds of 3 rows"},
  });
}

TEST_CASE("an error says in which layer") {
  const Scope scope(path_below(path_below(nullptr, "encoder"), "layer.0"));
  check({{[] {
            matmul(x({2, 3}), x({4, 5}));
          },
          "matmul: inner sizes differ: [2, 3] x [4, 5] (in encoder.layer.0)"},
         {[] { x({2}).size(1); }, "axis 1 is out of range for [2] (in encoder.layer.0)"}});
}

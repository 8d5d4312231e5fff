#pragma once

#include <cmath>

#include "nn/linear.h"
#include "nn/softmax.h"

namespace mixtape::nn {

/// Single-head self-attention as in textbooks, with one op for each step:
/// softmax(Q K' / sqrt(input_dim)) V with Q, K, V linear in x.   x, result: [batch, sequence, input_dim]
struct SelfAttention : Layer<SelfAttention> {
  Linear query, key, value;  ///< input_dim -> input_dim
  Softmax attention;         ///< over the keys
  int64_t input_dim;

  SelfAttention(int64_t dim, Random& random)
      : query(dim, dim, random), key(dim, dim, random), value(dim, dim, random), input_dim(dim) {}

  Tensor forward(const Tensor& x) const {
    const Tensor queries = query(x), keys = key(x), values = value(x);
    const Tensor scores = matmul(queries, keys, {.transpose_b = true}) / std::sqrt(static_cast<double>(input_dim));
    return matmul(attention(scores), values);
  }
  void visit(auto&& each) const {
    each("query", query);
    each("key", key);
    each("value", value);
    each("attention", attention);
  }
};

}  // namespace mixtape::nn

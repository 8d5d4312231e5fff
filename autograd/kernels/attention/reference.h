#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "autograd/kernels/attention/attention.h"
#include "autograd/kernels/philox.h"
#include "autograd/kernels/scratch.h"

namespace mixtape::kernels {

/// Attention of one head of one sequence in plain loops that never touch a pair which the mask hides, so that a NaN
/// behind it stays there. This is also the definition that the quick kernel is tested against. `weight_offset`: the
/// dropout element of pair (0, 0).

/// True if dropout keeps the weight with this number.
inline bool keeps_weight(const DropoutDraw& draw, int64_t element) {
  const auto group = static_cast<uint64_t>(element) / 64;
  const auto within = static_cast<uint64_t>(element) % 64;
  const auto block =
      philox({static_cast<uint32_t>(group * 16 + within % 16), draw.op, static_cast<uint32_t>(draw.step), 0},
             {static_cast<uint32_t>(draw.seed), static_cast<uint32_t>(draw.seed >> 32)});
  return block[within / 16] >= draw.threshold;
}

/// What to subtract from scores whose maximum, or log sum, is `level`: 0 if all are -infinity, so that their weights
/// are exp(-infinity) = 0 instead of NaN.
template <class T>
T finite_level(T level) {
  return level == -std::numeric_limits<T>::infinity() ? T(0) : level;
}

template <class T>
struct CarefulHead {
  const AttentionBatch& batch;
  int64_t b, h, weight_offset;

  int64_t query_at(int64_t i) const { return ((batch.query_bounds[b] + i) * batch.heads + h) * batch.width; }
  int64_t out_at(int64_t i) const { return ((batch.query_bounds[b] + i) * batch.heads + h) * batch.value_width; }
  int64_t key_at(int64_t j) const { return ((batch.key_bounds[b] + j) * batch.heads + h) * batch.width; }
  int64_t value_at(int64_t j) const { return ((batch.key_bounds[b] + j) * batch.heads + h) * batch.value_width; }
  int64_t log_sum_at(int64_t i) const { return (batch.query_bounds[b] + i) * batch.heads + h; }

  T score(const T* query, const T* key, int64_t i, int64_t j) const {
    T dot = 0;
    for (int64_t c = 0; c < batch.width; ++c) dot += query[query_at(i) + c] * key[key_at(j) + c];
    dot *= static_cast<T>(batch.scale);
    if (!batch.bias) return dot;
    return dot + static_cast<const T*>(
                     batch.bias)[b * batch.bias_strides[0] + h * batch.bias_strides[1] + i * batch.bias_strides[2] + j];
  }

  /// 0 if dropout drops the pair, 1 / (1 - p) if it keeps it, 1 without dropout.
  T drop(int64_t i, int64_t j) const {
    if (!batch.dropout) return 1;
    return keeps_weight(batch.dropout, weight_offset + i * batch.keys(b) + j) ? static_cast<T>(batch.dropout.scale)
                                                                              : T(0);
  }
};

template <class T>
void attention_careful(const AttentionBatch& batch, int64_t b, int64_t h, int64_t weight_offset, const T* query,
                       const T* key, const T* value, T* out, T* log_sums) {
  const CarefulHead<T> head{batch, b, h, weight_offset};
  T* scores = scratch<T>(Room::careful_scores, batch.keys(b));
  for (int64_t i = 0; i < batch.queries(b); ++i) {
    T maximum = -std::numeric_limits<T>::infinity(), sum = 0;
    for (int64_t j = 0; j < batch.keys(b); ++j) {
      if (!batch.sees(b, h, i, j)) continue;
      scores[j] = head.score(query, key, i, j);
      maximum = scores[j] <= maximum ? maximum : scores[j];  // a NaN wins
    }
    T* target = out + head.out_at(i);
    for (int64_t c = 0; c < batch.value_width; ++c) target[c] = 0;
    for (int64_t j = 0; j < batch.keys(b); ++j) {
      if (!batch.sees(b, h, i, j)) continue;
      const T weight = std::exp(scores[j] - finite_level(maximum));
      sum += weight;
      for (int64_t c = 0; c < batch.value_width; ++c)
        target[c] += weight * head.drop(i, j) * value[head.value_at(j) + c];
    }
    log_sums[head.log_sum_at(i)] = maximum + std::log(sum);
    if (sum != T(0)) {
      for (int64_t c = 0; c < batch.value_width; ++c) target[c] /= sum;
    }
  }
}

template <class T>
void attention_careful_grad(const AttentionBatch& batch, int64_t b, int64_t h, int64_t weight_offset, const T* query,
                            const T* key, const T* value, const T* out, const T* log_sums, const T* dout, T* dquery,
                            T* dkey, T* dvalue) {
  const CarefulHead<T> head{batch, b, h, weight_offset};
  const int64_t keys = batch.keys(b), width = batch.width, value_width = batch.value_width;
  T *dkeys = scratch<T>(Room::key_gradients, keys * width),
    *dvalues = scratch<T>(Room::value_gradients, keys * value_width);
  std::fill_n(dkeys, keys * width, T(0));
  std::fill_n(dvalues, keys * value_width, T(0));
  const T scale = static_cast<T>(batch.scale);
  for (int64_t i = 0; i < batch.queries(b); ++i) {
    T dot = 0;
    for (int64_t c = 0; c < batch.value_width; ++c) dot += dout[head.out_at(i) + c] * out[head.out_at(i) + c];
    for (int64_t c = 0; c < batch.width; ++c) dquery[head.query_at(i) + c] = 0;
    for (int64_t j = 0; j < batch.keys(b); ++j) {
      if (!batch.sees(b, h, i, j)) continue;
      const T weight = std::exp(head.score(query, key, i, j) - finite_level(log_sums[head.log_sum_at(i)]));
      const T drop = head.drop(i, j);
      T dweight = 0;
      for (int64_t c = 0; c < batch.value_width; ++c) {
        dvalues[j * value_width + c] += weight * drop * dout[head.out_at(i) + c];
        dweight += dout[head.out_at(i) + c] * value[head.value_at(j) + c];
      }
      const T dscore = scale * weight * (dweight * drop - dot);
      for (int64_t c = 0; c < batch.width; ++c) {
        dquery[head.query_at(i) + c] += dscore * key[head.key_at(j) + c];
        dkeys[j * width + c] += dscore * query[head.query_at(i) + c];
      }
    }
  }
  for (int64_t j = 0; j < keys; ++j) {
    std::copy_n(dkeys + j * width, width, dkey + head.key_at(j));
    std::copy_n(dvalues + j * value_width, value_width, dvalue + head.value_at(j));
  }
}

}  // namespace mixtape::kernels

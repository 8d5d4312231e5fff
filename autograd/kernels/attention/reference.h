#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "autograd/kernels/attention/head.h"
#include "autograd/kernels/philox.h"
#include "autograd/kernels/workspace.h"

namespace mixtape::kernels {

/// The reference path: attention of one head in plain loops over the pairs that the mask does not hide. The blocked
/// path multiplies hidden weights by 0, which gives NaN for NaN and infinity, so masked heads that hold these come
/// here. It is also the definition that the blocked path is tested against.

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

/// scale q k' + bias.
template <class T>
T attention_score(const AttentionHead& head, const AttentionTensors<T>& t, int64_t i, int64_t j) {
  const AttentionBatch& batch = head.batch;
  T dot = 0;
  for (int64_t c = 0; c < batch.width; ++c) dot += t.query[head.query_at(i) + c] * t.key[head.key_at(j) + c];
  dot *= static_cast<T>(batch.scale);
  if (!batch.bias) return dot;
  return dot + static_cast<const T*>(batch.bias)[head.b * batch.bias_strides[0] + head.h * batch.bias_strides[1] +
                                                 i * batch.bias_strides[2] + j];
}

/// What dropout multiplies a weight by: 0 or 1 / (1 - p).
template <class T>
T attention_drop(const AttentionHead& head, int64_t i, int64_t j) {
  const DropoutDraw& draw = head.batch.dropout;
  if (!draw) return 1;
  return keeps_weight(draw, head.weight_offset + i * head.keys + j) ? static_cast<T>(draw.scale) : T(0);
}

template <class T>
void attention_reference(const AttentionHead& head, const AttentionTensors<T>& t) {
  const AttentionBatch& batch = head.batch;
  T* scores = workspace<T>(Workspace::reference_scores, head.keys);
  for (int64_t i = 0; i < head.queries; ++i) {
    T maximum = -std::numeric_limits<T>::infinity(), sum = 0;
    for (int64_t j = 0; j < head.keys; ++j) {
      if (!batch.sees(head.b, head.h, i, j)) continue;
      scores[j] = attention_score(head, t, i, j);
      maximum = scores[j] <= maximum ? maximum : scores[j];  // a NaN wins
    }
    T* out = t.out + head.out_at(i);
    for (int64_t c = 0; c < batch.value_width; ++c) out[c] = 0;
    for (int64_t j = 0; j < head.keys; ++j) {
      if (!batch.sees(head.b, head.h, i, j)) continue;
      const T weight = std::exp(scores[j] - finite_level(maximum));
      sum += weight;
      for (int64_t c = 0; c < batch.value_width; ++c)
        out[c] += weight * attention_drop<T>(head, i, j) * t.value[head.value_at(j) + c];
    }
    t.log_sums[head.log_sum_at(i)] = maximum + std::log(sum);
    if (sum != T(0)) {
      for (int64_t c = 0; c < batch.value_width; ++c) out[c] /= sum;
    }
  }
}

template <class T>
void attention_reference_grad(const AttentionHead& head, const AttentionTensors<T>& t) {
  const AttentionBatch& batch = head.batch;
  const int64_t width = batch.width, value_width = batch.value_width;
  const T scale = static_cast<T>(batch.scale);
  T* dkeys = workspace<T>(Workspace::key_gradients, head.keys * width);
  T* dvalues = workspace<T>(Workspace::value_gradients, head.keys * value_width);
  std::fill_n(dkeys, head.keys * width, T(0));
  std::fill_n(dvalues, head.keys * value_width, T(0));
  for (int64_t i = 0; i < head.queries; ++i) {
    const T *query = t.query + head.query_at(i), *out = t.out + head.out_at(i), *dout = t.dout + head.out_at(i);
    T* dquery = t.dquery + head.query_at(i);
    T dot = 0;
    for (int64_t c = 0; c < value_width; ++c) dot += dout[c] * out[c];
    for (int64_t c = 0; c < width; ++c) dquery[c] = 0;  // may be out
    for (int64_t j = 0; j < head.keys; ++j) {
      if (!batch.sees(head.b, head.h, i, j)) continue;
      const T level = finite_level(t.log_sums[head.log_sum_at(i)]);
      const T weight = std::exp(attention_score(head, t, i, j) - level), drop = attention_drop<T>(head, i, j);
      T dweight = 0;
      for (int64_t c = 0; c < value_width; ++c) {
        dvalues[j * value_width + c] += weight * drop * dout[c];
        dweight += dout[c] * t.value[head.value_at(j) + c];
      }
      const T dscore = scale * weight * (dweight * drop - dot);
      for (int64_t c = 0; c < width; ++c) {
        dquery[c] += dscore * t.key[head.key_at(j) + c];
        dkeys[j * width + c] += dscore * query[c];
      }
    }
  }
  for (int64_t j = 0; j < head.keys; ++j) {  // dkey may be key, dvalue value
    std::copy_n(dkeys + j * width, width, t.dkey + head.key_at(j));
    std::copy_n(dvalues + j * value_width, value_width, t.dvalue + head.value_at(j));
  }
}

}  // namespace mixtape::kernels

#pragma once

#include <cstdint>

#include "autograd/kernels/dropout.h"
#include "autograd/kernels/gemm/gemm.h"

namespace mixtape::kernels {

/// A batch of sequences, each of which attends to its own keys. Tensors are [positions, H, D], sequence after sequence;
/// sequence b has the queries [query_bounds[b], query_bounds[b + 1]) and the first key_counts[b] keys from
/// key_bounds[b] on.
struct AttentionBatch {
  int64_t sequences = 0;
  const int32_t* query_bounds = nullptr;  ///< [sequences + 1]
  const int32_t* key_bounds = nullptr;    ///< [sequences + 1]
  const int32_t* key_counts = nullptr;    ///< [sequences], or null: all keys
  int64_t heads = 1;
  int64_t width = 0;        ///< D of queries and keys
  int64_t value_width = 0;  ///< D of values and outputs
  double scale = 1;         ///< of the scores

  /// Query i of Tq sees key j of Tk only if j <= i + Tk - Tq. Tk counts the keys beyond key_counts, too.
  bool causal = false;
  /// Query i of Tq sees key j of Tk only if |i + Tk - Tq - j| <= reach.
  static constexpr int64_t kFar = int64_t{1} << 40;
  int64_t reach = kFar;
  /// If not null: query i of sequence b sees key j in head h only if allowed[b s0 + h s1 + i s2 + j] != 0.
  const int32_t* allowed = nullptr;
  int64_t allowed_strides[3] = {};
  /// If not null: added to the scores, element [b s0 + h s1 + i s2 + j], of the tensors' dtype.
  const void* bias = nullptr;
  int64_t bias_strides[3] = {};
  /// Dropout on the weights. Pair (i, j) of sequence b and head h is element weight_offset(b, h) + i Tk + j.
  DropoutDraw dropout = {};
  /// Of all products, forward and backward.
  Precision precision = Precision::full;

  int64_t queries(int64_t b) const { return query_bounds[b + 1] - query_bounds[b]; }
  int64_t keys(int64_t b) const { return key_counts ? key_counts[b] : key_bounds[b + 1] - key_bounds[b]; }
  /// Query i has the position of key i + diagonal(b).
  int64_t diagonal(int64_t b) const { return key_bounds[b + 1] - key_bounds[b] - queries(b); }
  bool masked() const { return causal || allowed || reach < kFar; }
  /// True if query i of sequence b sees key j in head h.
  bool sees(int64_t b, int64_t h, int64_t i, int64_t j) const {
    const int64_t distance = j - i - diagonal(b);
    if (distance > (causal ? 0 : reach) || distance < -reach) return false;
    return !allowed || allowed[b * allowed_strides[0] + h * allowed_strides[1] + i * allowed_strides[2] + j] != 0;
  }
};

/// out = dropout(softmax(scale q k' + bias)) v by sequence and head, over the keys that each query sees. A query that
/// sees none gives 0. Keys and values that are not seen do not influence the result, whatever they hold, NaN included.
/// query: [queries, H, D]  key: [keys, H, D]  value: [keys, H, Dv]  out: [queries, H, Dv]
/// log_sums: [queries, H], receives log sum_j exp(score) for backward.
/// Works through blocks of keys with running maxima and sums (Milakov & Gimelshein 2018; Dao et al. 2022,
/// "FlashAttention"), so memory grows with the length, not its square.
template <class T>
void attention(const AttentionBatch& batch, const T* query, const T* key, const T* value, T* out, T* log_sums) noexcept;

/// The gradients, with the weights recomputed block by block. With weights A and dropped-out weights A~: dv = A~' dout,
/// dA = dropout(dout v'),  ds = A * (dA - rowsum(dA * A)),  dq = scale ds k,  dk = scale ds' q. dquery, dkey and dvalue
/// are overwritten; keys beyond key_counts get 0. dkey may be key itself, dvalue value, and dquery out if D = Dv.
template <class T>
void attention_grad(const AttentionBatch& batch, const T* query, const T* key, const T* value, const T* out,
                    const T* log_sums, const T* dout, T* dquery, T* dkey, T* dvalue) noexcept;

}  // namespace mixtape::kernels

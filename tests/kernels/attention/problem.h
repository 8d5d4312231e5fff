#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "autograd/kernels/attention/attention.h"
#include "autograd/kernels/attention/reference.h"
#include "tests/kernels/buffers.h"
#include "tests/kernels/reference.h"

namespace mixtape::tests {

/// Lengths by sequence, sizes, and which of the kernel's options are used.
struct AttentionShape {
  std::vector<int32_t> queries, keys;
  std::vector<int32_t> key_counts = {};  ///< or none: all keys
  int64_t heads = 1, width = 3, value_width = 3;
  bool causal = false, allowed = false, bias = false;
  double dropout = 0;
  int64_t reach = kernels::AttentionBatch::kFar;
};

template <class T>
struct AttentionResult {
  std::vector<T> out, log_sums, dquery, dkey, dvalue;
};

/// A batch with random contents, the same ones (numbers that floats can hold) in every type. What lies beyond the
/// key_counts is NaN, as it must never be read.
template <class T>
class AttentionProblem {
 public:
  AttentionProblem(const AttentionShape& shape, uint64_t seed) : shape_(shape) {
    const auto sequences = static_cast<int64_t>(shape.queries.size());
    bounds_of(shape.queries, query_bounds_);
    bounds_of(shape.keys, key_bounds_);
    const int64_t all_queries = query_bounds_.back() * shape.heads, all_keys = key_bounds_.back() * shape.heads;
    query = rounded(all_queries * shape.width, seed);
    key = rounded(all_keys * shape.width, seed + 1);
    value = rounded(all_keys * shape.value_width, seed + 2);
    dout = rounded(all_queries * shape.value_width, seed + 3);
    const int64_t most_queries = longest(shape.queries), most_keys = longest(shape.keys);
    const int64_t pairs = most_queries * most_keys;
    bias = rounded(shape.bias ? sequences * shape.heads * pairs : 0, seed + 4);
    for (T number : rounded(shape.allowed ? sequences * pairs : 0, seed + 5)) allowed.push_back(number > 0 ? 7 : 0);
    strides_[0] = shape.heads * pairs, strides_[1] = pairs, strides_[2] = most_keys;
    for (int64_t b = 0; b < sequences && !shape.key_counts.empty(); ++b) {
      const auto seen = key_bounds_[static_cast<size_t>(b)] + shape.key_counts[static_cast<size_t>(b)];
      hide(key, seen, key_bounds_[static_cast<size_t>(b) + 1], shape.heads * shape.width);
      hide(value, seen, key_bounds_[static_cast<size_t>(b) + 1], shape.heads * shape.value_width);
    }
  }

  std::vector<T> query, key, value, dout, bias;
  std::vector<int32_t> allowed;

  /// Points into this object.
  kernels::AttentionBatch batch() const {
    kernels::AttentionBatch batch;
    batch.sequences = static_cast<int64_t>(shape_.queries.size());
    batch.query_bounds = query_bounds_.data();
    batch.key_bounds = key_bounds_.data();
    batch.key_counts = shape_.key_counts.empty() ? nullptr : shape_.key_counts.data();
    batch.heads = shape_.heads, batch.width = shape_.width, batch.value_width = shape_.value_width;
    batch.scale = 0.75;
    batch.causal = shape_.causal;
    batch.reach = shape_.reach;
    batch.allowed = shape_.allowed ? allowed.data() : nullptr;
    batch.bias = shape_.bias ? bias.data() : nullptr;
    std::copy_n(strides_, 3, batch.bias_strides);
    batch.allowed_strides[0] = strides_[1], batch.allowed_strides[2] = strides_[2];  // one mask for all heads
    if (shape_.dropout > 0) {
      batch.dropout = {99, 3, 2, static_cast<uint32_t>(shape_.dropout * 4294967296.0), 1 / (1 - shape_.dropout)};
    }
    return batch;
  }

  int64_t weight_offset(int64_t b, int64_t h) const {
    const kernels::AttentionBatch all = batch();
    return first_weight(b) + h * all.queries(b) * all.keys(b);
  }

  int64_t positions() const { return query_bounds_.back(); }
  const AttentionShape& shape() const { return shape_; }

  /// The results of the reference path, head by head.
  AttentionResult<T> by_reference_path() const {
    const kernels::AttentionBatch all = batch();
    AttentionResult<T> r{std::vector<T>(dout.size()), std::vector<T>(static_cast<size_t>(positions() * all.heads)),
                         std::vector<T>(query.size()), std::vector<T>(key.size()), std::vector<T>(value.size())};
    const kernels::AttentionTensors<T> tensors{query.data(),    key.data(),        value.data(),
                                               r.out.data(),    r.log_sums.data(), dout.data(),
                                               r.dquery.data(), r.dkey.data(),     r.dvalue.data()};
    for (int64_t b = 0; b < all.sequences; ++b) {
      for (int64_t h = 0; h < all.heads; ++h) {
        const kernels::AttentionHead head(all, b, h, first_weight(b));
        kernels::attention_reference(head, tensors);
        kernels::attention_reference_grad(head, tensors);
      }
    }
    return r;
  }

  /// The kernel's results. `intact` becomes false if it wrote outside of them.
  AttentionResult<T> fused(int64_t offset, bool& intact) const {
    const auto size = [](const std::vector<T>& x) { return static_cast<int64_t>(x.size()); };
    const kernels::AttentionBatch all = batch();
    Guarded<T> q(query, offset), k(key, 1), v(value, 3 - offset), out(size(dout), offset),
        log_sums(positions() * all.heads, 1), dquery(size(query), 2), dkey(size(key), 3), dvalue(size(value), offset);
    kernels::attention(all, q.data(), k.data(), v.data(), out.data(), log_sums.data());
    kernels::attention_grad(all, q.data(), k.data(), v.data(), out.data(), log_sums.data(), dout.data(), dquery.data(),
                            dkey.data(), dvalue.data());
    intact = out.intact() && log_sums.intact() && dquery.intact() && dkey.intact() && dvalue.intact();
    return {out.values(), log_sums.values(), dquery.values(), dkey.values(), dvalue.values()};
  }
  AttentionResult<T> fused() const {
    bool intact;
    return fused(0, intact);
  }

 private:
  int64_t first_weight(int64_t b) const {
    const kernels::AttentionBatch all = batch();
    int64_t first = 0;
    for (int64_t i = 0; i < b; ++i) first += all.heads * all.queries(i) * all.keys(i);
    return first;
  }
  static void bounds_of(const std::vector<int32_t>& lengths, std::vector<int32_t>& bounds) {
    bounds.assign(1, 0);
    for (int32_t length : lengths) bounds.push_back(bounds.back() + length);
  }
  static int64_t longest(const std::vector<int32_t>& lengths) {
    return lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  }
  static std::vector<T> rounded(int64_t n, uint64_t seed) {
    const auto numbers = random_values<float>(n, seed, -1.5, 1.5);
    return {numbers.begin(), numbers.end()};
  }
  static void hide(std::vector<T>& x, int64_t first, int64_t last, int64_t row) {
    std::fill(x.begin() + first * row, x.begin() + last * row, kNaN<T>);
  }

  AttentionShape shape_;
  std::vector<int32_t> query_bounds_, key_bounds_;
  int64_t strides_[3];
};

namespace reference {

/// out and log_sums of a problem from the whole matrix of weights, pair by pair; hidden pairs are not there at all.
template <class E, class T>
AttentionResult<E> attention(const AttentionProblem<T>& problem, const std::vector<E>& query, const std::vector<E>& key,
                             const std::vector<E>& value) {
  const kernels::AttentionBatch all = problem.batch();
  AttentionResult<E> result;
  for (int64_t b = 0; b < all.sequences; ++b) {
    for (int64_t i = 0; i < all.queries(b); ++i) {
      for (int64_t h = 0; h < all.heads; ++h) {
        const auto at = [&](int64_t position, int64_t width, int64_t c) {
          return static_cast<size_t>((position * all.heads + h) * width + c);
        };
        std::vector<E> scores, drops;
        std::vector<int64_t> seen;
        for (int64_t j = 0; j < all.keys(b); ++j) {
          if (!all.sees(b, h, i, j)) continue;
          E score = 0;
          for (int64_t c = 0; c < all.width; ++c)
            score += query[at(all.query_bounds[b] + i, all.width, c)] * key[at(all.key_bounds[b] + j, all.width, c)];
          score *= static_cast<E>(all.scale);
          if (all.bias)
            score += problem.bias[static_cast<size_t>(b * all.bias_strides[0] + h * all.bias_strides[1] +
                                                      i * all.bias_strides[2] + j)];
          const int64_t element = problem.weight_offset(b, h) + i * all.keys(b) + j;
          seen.push_back(all.key_bounds[b] + j);
          scores.push_back(score);
          drops.push_back(!all.dropout ? E(1) : keeps(all.dropout, element) ? static_cast<E>(all.dropout.scale) : E(0));
        }
        const E log_sum = seen.empty() ? -std::numeric_limits<E>::infinity()
                                       : log_sum_exp(scores.data(), static_cast<int64_t>(seen.size()));
        result.log_sums.push_back(log_sum);
        for (int64_t c = 0; c < all.value_width; ++c) {
          E out = 0;
          for (size_t s = 0; s < seen.size(); ++s)
            out += std::exp(scores[s] - log_sum) * drops[s] * value[at(seen[s], all.value_width, c)];
          result.out.push_back(out);
        }
      }
    }
  }
  return result;
}

}  // namespace reference
}  // namespace mixtape::tests

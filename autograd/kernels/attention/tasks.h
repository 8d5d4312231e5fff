#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "autograd/kernels/attention/attention.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"

namespace mixtape::kernels {

/// How attention is cut: into heads of sequences, blocks of queries and of keys, and tasks for the compute threads.

/// Keys [first, last) of a sequence.
struct KeyRange {
  int64_t first, last;
  bool empty() const { return first >= last; }
  bool meets(int64_t begin, int64_t end) const { return !empty() && last > begin && first < end; }
};

/// One head of one sequence: where its rows start, and how they lie.
struct AttentionHead {
  static constexpr int64_t kQueryBlock = 96, kKeyBlock = 256;
  static constexpr int64_t kGroup = 8;  ///< blocks of queries that use a block of keys one after the other

  const AttentionBatch& batch;
  int64_t b, h, queries, keys;
  int64_t stride, value_stride;  ///< from position to position
  int64_t query_start, key_start, value_start, out_start;
  int64_t weight_offset;

  /// first_weight: how many weights the sequences before have.
  AttentionHead(const AttentionBatch& all, int64_t sequence, int64_t head, int64_t first_weight)
      : batch(all),
        b(sequence),
        h(head),
        queries(all.queries(b)),
        keys(all.keys(b)),
        stride(all.heads * all.width),
        value_stride(all.heads * all.value_width),
        query_start(all.query_bounds[b] * stride + h * all.width),
        key_start(all.key_bounds[b] * stride + h * all.width),
        value_start(all.key_bounds[b] * value_stride + h * all.value_width),
        out_start(all.query_bounds[b] * value_stride + h * all.value_width),
        weight_offset(first_weight + h * queries * keys) {}

  int64_t index() const { return b * batch.heads + h; }
  int64_t log_sum_at(int64_t i) const { return (batch.query_bounds[b] + i) * batch.heads + h; }
  /// Queries are cut into blocks of the same size, so that none is left with a few rows. Where 49 to 96 queries see as
  /// many keys, those before them, there are two blocks, the first of which needs half the keys.
  int64_t query_block() const {
    const bool short_triangle = batch.causal && queries <= kQueryBlock && keys <= queries;
    const int64_t most = short_triangle ? kQueryBlock / 2 : kQueryBlock;
    const int64_t blocks = std::max<int64_t>(1, (queries + most - 1) / most);
    return std::max<int64_t>(1, (queries + blocks - 1) / blocks);
  }
  int64_t query_blocks() const { return (queries + query_block() - 1) / query_block(); }
  int64_t query_groups() const { return (query_blocks() + kGroup - 1) / kGroup; }
  int64_t key_blocks() const { return (keys + kKeyBlock - 1) / kKeyBlock; }
  /// Whether keys are multiplied with the scale, or scores are: for a few queries that would be work for nothing, and
  /// factors that will be rounded stay as they are.
  bool scales_keys() const { return batch.factors == Factors::exact && queries >= 8; }
  /// All keys outside are hidden from the queries [first, last).
  KeyRange keys_seen(int64_t first, int64_t last) const {
    const int64_t shift = batch.diagonal(b), ahead = batch.causal ? 0 : batch.reach;
    return {std::clamp<int64_t>(first + shift - batch.reach, 0, keys),
            std::clamp<int64_t>(last + shift + ahead, 0, keys)};
  }
};

/// What the tasks of a forward share.
template <class T>
struct AttentionForward {
  const T *query, *key, *value;
  T *out, *log_sums;
  int32_t* careful = nullptr;  ///< [B, H], whether a head takes the careful way; null: each head finds out by itself
};

/// What the tasks of a backward share.
template <class T>
struct AttentionGradient {
  const T *query, *key, *value, *out, *log_sums, *dout;
  T *dquery, *dkey, *dvalue;
  int32_t* careful = nullptr;  ///< [B, H], whether a head took the careful way
  T* dots = nullptr;           ///< [queries, H], each query's dout . out
  int32_t* turns = nullptr;    ///< [queries, H], at a block's first: how many blocks of keys its dquery has
};

/// Calls f(head, part) on all compute threads, for each head of each sequence and each part of parts_of(head), which is
/// the same for all heads of a sequence. Where there are several parts they are begun in order, so that one may wait
/// for one before it; the other heads' come between them, so that it rarely does.
template <class Parts, class F>
void for_parts(const AttentionBatch& batch, const Parts& parts_of, const F& f) noexcept {
  int64_t* first_weight = scratch<int64_t>(Room::first_tasks, 2 * batch.sequences + 1);
  int64_t* first_task = first_weight + batch.sequences;
  int64_t pairs = 0, tasks = 0;
  bool in_order = false;
  for (int64_t b = 0; b < batch.sequences; ++b) {
    const int64_t parts = parts_of(AttentionHead(batch, b, 0, 0));
    first_weight[b] = batch.heads * pairs;
    first_task[b] = tasks;
    pairs += batch.queries(b) * batch.keys(b);
    tasks += batch.heads * parts;
    in_order |= parts > 1;
  }
  first_task[batch.sequences] = tasks;
  if (tasks == 0) return;
  const int64_t cost = batch.heads * pairs / tasks * (batch.width + batch.value_width) + 1;
  std::atomic<int64_t> next = 0;
  parallel_for(tasks, grain_for(cost, 1 << 15), [&](int64_t first, int64_t last) {
    const int64_t count = last - first, begin = in_order ? next.fetch_add(count) : first;
    int64_t b = std::upper_bound(first_task, first_task + batch.sequences, begin) - first_task - 1;
    for (int64_t task = begin; task < begin + count; ++task) {
      while (task >= first_task[b + 1]) ++b;
      const int64_t within = task - first_task[b];
      f(AttentionHead(batch, b, within % batch.heads, first_weight[b]), within / batch.heads);
    }
  });
}

/// The same with each head as a whole: f(head).
template <class F>
void for_heads(const AttentionBatch& batch, const F& f) noexcept {
  for_parts(
      batch, [](const AttentionHead&) { return 1; }, [&](const AttentionHead& head, int64_t) { f(head); });
}

}  // namespace mixtape::kernels

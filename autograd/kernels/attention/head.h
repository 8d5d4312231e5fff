#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>

#include "autograd/kernels/attention/attention.h"
#include "autograd/kernels/attention/tuning.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/workspace.h"

namespace mixtape::kernels {

/// The tensors of attention, and what its tasks share. Backward only reads out and log_sums.
template <class T>
struct AttentionTensors {
  const T *query, *key, *value;
  T *out, *log_sums;
  const T* dout = nullptr;
  T *dquery = nullptr, *dkey = nullptr, *dvalue = nullptr;

  int64_t blocks_per_task = 1;        ///< blocks of queries of a forward task
  int32_t* uses_reference = nullptr;  ///< [B, H], whether a head takes the reference path; null: not known yet
  T* dots = nullptr;                  ///< [queries, H], each query's dout . out
  int32_t* added = nullptr;           ///< [queries, H], at a block's first: the blocks of keys added to its dquery
};

/// One head of one sequence: where its rows are, and how they are cut into blocks of queries and keys.
struct AttentionHead {
  const AttentionBatch& batch;
  int64_t b, h, queries, keys;
  int64_t stride, value_stride;  ///< from position to position
  int64_t query_start, key_start, value_start, out_start;
  int64_t weight_offset;  ///< the dropout element of pair (0, 0)

  /// first_weight: the number of weights of the sequences before.
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
  int64_t query_at(int64_t i) const { return query_start + i * stride; }
  int64_t key_at(int64_t j) const { return key_start + j * stride; }
  int64_t value_at(int64_t j) const { return value_start + j * value_stride; }
  int64_t out_at(int64_t i) const { return out_start + i * value_stride; }
  int64_t log_sum_at(int64_t i) const { return (batch.query_bounds[b] + i) * batch.heads + h; }

  /// Rows in a block of queries. All have the same size, so that none is left with a few rows. 49 to 96 queries of a
  /// causal head make two blocks, of which the first sees half the keys.
  int64_t query_block() const {
    using attention_tuning::kQueryBlock;
    const bool small_triangle = batch.causal && queries <= kQueryBlock && keys <= queries;
    const int64_t most = small_triangle ? kQueryBlock / 2 : kQueryBlock;
    const int64_t blocks = std::max<int64_t>(1, (queries + most - 1) / most);
    return std::max<int64_t>(1, (queries + blocks - 1) / blocks);
  }
  int64_t query_blocks() const { return (queries + query_block() - 1) / query_block(); }
  int64_t key_blocks() const { return (keys + attention_tuning::kKeyBlock - 1) / attention_tuning::kKeyBlock; }
  /// Keys are multiplied by the scale, or scores are: with few queries, and where keys are to be rounded.
  bool scales_keys() const {
    return batch.precision == Precision::full && queries >= attention_tuning::kQueriesToScaleKeys;
  }
  /// The first and past the last of the keys that any of the queries [first, last) may see.
  std::pair<int64_t, int64_t> visible_keys(int64_t first, int64_t last) const {
    const int64_t shift = batch.diagonal(b), ahead = batch.causal ? 0 : batch.reach;
    return {std::clamp<int64_t>(first + shift - batch.reach, 0, keys),
            std::clamp<int64_t>(last + shift + ahead, 0, keys)};
  }
};

/// Blocks of queries in a task of a forward: as many as use packed keys well, fewer if threads would have no task.
/// Where the mask is a window they show in the result's bits, so they do not depend on the threads.
inline int64_t attention_blocks_per_task(const AttentionBatch& batch, int64_t threads) {
  using namespace attention_tuning;
  if (batch.reach < AttentionBatch::kFar) return kBlocksPerTask;
  int64_t blocks = 0;
  for (int64_t b = 0; b < batch.sequences; ++b) blocks += batch.heads * AttentionHead(batch, b, 0, 0).query_blocks();
  return std::clamp<int64_t>(blocks / (kTasksPerThread * threads), 1, kBlocksPerTask);
}

/// Calls f(head, task) on all compute threads for each head of each sequence and each of its tasks, tasks_of(head) of
/// them, which is the same for all heads of a sequence. A head's tasks begin in order, so that each may wait for those
/// before it; the tasks of other heads are in between, so that it rarely does.
template <class TasksOf, class F>
void for_attention_tasks(const AttentionBatch& batch, const TasksOf& tasks_of, const F& f) noexcept {
  int64_t* first_weight = workspace<int64_t>(Workspace::attention_tasks, 2 * batch.sequences + 1);
  int64_t* first_task = first_weight + batch.sequences;
  int64_t pairs = 0, tasks = 0;
  bool in_order = false;
  for (int64_t b = 0; b < batch.sequences; ++b) {
    const int64_t per_head = tasks_of(AttentionHead(batch, b, 0, 0));
    first_weight[b] = batch.heads * pairs;
    first_task[b] = tasks;
    pairs += batch.queries(b) * batch.keys(b);
    tasks += batch.heads * per_head;
    in_order |= per_head > 1;
  }
  first_task[batch.sequences] = tasks;
  if (tasks == 0) return;
  const int64_t products = batch.heads * pairs / tasks * (batch.width + batch.value_width) + 1;
  std::atomic<int64_t> next = 0;
  parallel_for(tasks, grain_for(products, attention_tuning::kTaskProducts), [&](int64_t first, int64_t last) {
    const int64_t count = last - first, begin = in_order ? next.fetch_add(count) : first;
    int64_t b = std::upper_bound(first_task, first_task + batch.sequences, begin) - first_task - 1;
    for (int64_t i = begin; i < begin + count; ++i) {
      while (i >= first_task[b + 1]) ++b;
      const int64_t within = i - first_task[b];
      f(AttentionHead(batch, b, within % batch.heads, first_weight[b]), within / batch.heads);
    }
  });
}

}  // namespace mixtape::kernels

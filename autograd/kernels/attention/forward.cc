#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/kernels/attention/attention.h"
#include "autograd/kernels/attention/head.h"
#include "autograd/kernels/attention/reference.h"
#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/gemm/gemm.h"
#include "autograd/kernels/workspace.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/attention/forward.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/attention/blocks-inl.h"
#include "autograd/kernels/exp-inl.h"
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

// A step of the online softmax on a row of scores of a block of keys: weights = exp(scores - m) for the new running
// maximum m, and the running sum is updated. Returns the factor by which earlier sums shrink.
template <class T>
T online_softmax_row(T* scores, int64_t n, T* maximum, T* sum) {
  const T before = *maximum;
  const T m = std::max(before, max_lanes(n, scores)), level = finite_level(m);
  const T block = sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto e = softmax_exp(d, hn::Sub(hn::LoadU(d, scores + i), hn::Set(d, level)));
    hn::StoreU(e, d, scores + i);
    return e;
  });
  const T shrink = std::exp(before - level);
  *maximum = m;
  *sum = *sum * shrink + block;
  return shrink;
}

template <class T>
void scale_row(T* x, int64_t n, T factor) {
  for_lanes<T>(
      n, [=](auto d, int64_t i) HWY_ATTR { hn::StoreU(hn::Mul(hn::LoadU(d, x + i), hn::Set(d, factor)), d, x + i); });
}

// Adds a block's weights times values to the outputs of its queries, whose running maxima and sums are given.
template <class T>
void forward_block(const AttentionHead& head, const T* query, const PackedB<T>& keys, const PackedB<T>& values,
                   const Block& block, bool first_keys, T* out, T* maxima, T* sums) {
  const AttentionBatch& all = head.batch;
  T* rows = out + head.out_at(block.query);
  T* scores = workspace<T>(Workspace::scores, kQueryBlock * kKeyBlock);
  score_block(head, query, keys, block, scores);
  for (int64_t i = 0; i < block.rows; ++i) {
    const T shrink = online_softmax_row(scores + i * block.width, block.width, maxima + i, sums + i);
    if (!first_keys && shrink != T(1)) scale_row(rows + i * head.value_stride, all.value_width, shrink);
  }
  if (all.dropout) dropout_block(head, scores, scores, block);
  gemm_tile(block.rows, all.value_width, block.columns, T(1), Operand<T>{scores, block.width}, values, T(!first_keys),
            rows, head.value_stride);
}

// out /= sum, and log_sums = maximum + log(sum), of the queries [first, last).
template <class T>
void finish_rows(const AttentionHead& head, const AttentionTensors<T>& t, int64_t first, int64_t last, const T* maxima,
                 const T* sums) {
  const int64_t width = head.batch.value_width;
  for (int64_t i = first; i < last; ++i) {
    const T maximum = maxima[i - first], sum = sums[i - first];
    T* out = t.out + head.out_at(i);
    t.log_sums[head.log_sum_at(i)] = maximum + std::log(sum);
    if (sum == T(0)) {
      std::fill_n(out, width, T(0));
    } else {
      scale_row(out, width, 1 / sum);
    }
  }
}

// The queries [first, last), several blocks: each block of keys is packed once for all.
template <class T>
void forward_queries(const AttentionHead& head, const AttentionTensors<T>& t, int64_t first, int64_t last) {
  const AttentionBatch& all = head.batch;
  const int64_t size = head.query_block();
  T maxima[attention_tuning::kBlocksPerTask * kQueryBlock], sums[attention_tuning::kBlocksPerTask * kQueryBlock];
  std::fill_n(maxima, last - first, -std::numeric_limits<T>::infinity());
  std::fill_n(sums, last - first, T(0));
  const auto [first_key, last_key] = head.visible_keys(first, last);
  for (int64_t j0 = first_key; j0 < last_key; j0 += kKeyBlock) {
    const int64_t columns = std::min(kKeyBlock, last_key - j0);
    const auto keys = pack_keys_transposed(head, t.key, j0, columns);
    const auto values =
        pack_b(size, all.value_width, columns, Operand<T>{t.value + head.value_at(j0), head.value_stride},
               all.precision, Workspace::packed_values);
    for (int64_t i0 = first; i0 < last; i0 += size) {
      const int64_t rows = std::min(size, last - i0);
      const auto [begin, end] = head.visible_keys(i0, i0 + rows);
      if (std::max(begin, j0) >= std::min(end, j0 + columns)) continue;
      forward_block(head, t.query, keys, values, Block::of<T>(i0, rows, j0, std::min(columns, end - j0)),
                    begin >= j0 || j0 == first_key, t.out, maxima + (i0 - first), sums + (i0 - first));
    }
  }
  finish_rows(head, t, first, last, maxima, sums);
}

// The last queries come first, as they may see more keys.
template <class T>
void forward_task(const AttentionHead& head, const AttentionTensors<T>& t, int64_t task) {
  if (t.uses_reference ? t.uses_reference[head.index()] != 0 : needs_reference(head, t)) {
    if (task == 0) attention_reference(head, t);
    return;
  }
  const int64_t size = t.blocks_per_task * head.query_block(), tasks = (head.queries + size - 1) / size;
  const int64_t first = (tasks - 1 - task) * size;
  forward_queries(head, t, first, std::min(first + size, head.queries));
}

template <class T>
bool forward_needs_reference(const AttentionHead& head, const AttentionTensors<T>& t) {
  return needs_reference(head, t);
}

}  // namespace
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {

template <class T>
void attention(const AttentionBatch& batch, const T* query, const T* key, const T* value, T* out,
               T* log_sums) noexcept {
  AttentionTensors<T> t{query, key, value, out, log_sums};
  t.blocks_per_task = attention_blocks_per_task(batch, threads());
  const auto tasks = [&](const AttentionHead& head) {
    return (head.query_blocks() + t.blocks_per_task - 1) / t.blocks_per_task;
  };
  bool several = false;
  for (int64_t b = 0; b < batch.sequences; ++b) several |= tasks(AttentionHead(batch, b, 0, 0)) > 1;
  if (several) {  // all tasks of a head must take the same path
    const auto kernel = MIXTAPE_KERNEL(forward_needs_reference<T>);
    t.uses_reference = workspace<int32_t>(Workspace::reference_heads, batch.sequences * batch.heads);
    for_attention_tasks(
        batch, [](const AttentionHead&) { return 1; },
        [&](const AttentionHead& head, int64_t) { t.uses_reference[head.index()] = kernel(head, t); });
  }
  const auto kernel = MIXTAPE_KERNEL(forward_task<T>);
  for_attention_tasks(batch, tasks, [&](const AttentionHead& head, int64_t task) { kernel(head, t, task); });
}

template void attention(const AttentionBatch&, const float*, const float*, const float*, float*, float*) noexcept;
template void attention(const AttentionBatch&, const double*, const double*, const double*, double*, double*) noexcept;

}  // namespace mixtape::kernels
#endif

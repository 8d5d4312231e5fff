#include <algorithm>

#include "autograd/kernels/attention/attention.h"
#include "autograd/kernels/attention/head.h"
#include "autograd/kernels/attention/reference.h"
#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/gemm/gemm.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/workspace.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/attention/backward.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/attention/blocks-inl.h"
#include "autograd/kernels/exp-inl.h"
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

// weights = exp(scores - log_sum), in place.
template <class T>
void weights_row(T* scores, int64_t n, T log_sum) {
  const T level = finite_level(log_sum);
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(softmax_exp(d, hn::Sub(hn::LoadU(d, scores + i), hn::Set(d, level))), d, scores + i);
  });
}

// dscores = weights * (dweights - dot), in place of dweights.
template <class T>
void dscores_row(const T* weights, T* dweights, int64_t n, T dot) {
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, weights + i), hn::Sub(hn::LoadU(d, dweights + i), hn::Set(d, dot))), d,
               dweights + i);
  });
}

template <class T>
T dot_row(const T* a, const T* b, int64_t n) {
  return sum_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR { return hn::Mul(hn::LoadU(d, a + i), hn::LoadU(d, b + i)); });
}

template <class T>
void clear_rows(T* x, int64_t rows, int64_t stride, int64_t n) {
  for (int64_t row = 0; row < rows; ++row) std::fill_n(x + row * stride, n, T(0));
}

template <class T>
void copy_rows(const T* from, T* to, int64_t rows, int64_t stride, int64_t n) {
  for (int64_t row = 0; row < rows; ++row) std::copy_n(from + row * n, n, to + row * stride);
}

// A block of keys and values, packed for the products of backward.
template <class T>
struct PackedKeys {
  PackedB<T> keys, keys_transposed, values_transposed;

  PackedKeys(const AttentionHead& head, const AttentionTensors<T>& t, int64_t first, int64_t columns) {
    const AttentionBatch& all = head.batch;
    const int64_t rows = head.query_block();
    const Operand<T> key{t.key + head.key_at(first), head.stride},
        value_transposed{t.value + head.value_at(first), head.value_stride, true};
    keys = pack_b(rows, all.width, columns, key, all.precision, Workspace::packed_keys);
    keys_transposed = pack_keys_transposed(head, t.key, first, columns);
    values_transposed =
        pack_b(rows, columns, all.value_width, value_transposed, all.precision, Workspace::packed_values);
  }
};

// dquery += scale ds k of a block. Blocks of keys add in order, so that sums do not depend on the threads.
template <class T>
void add_dquery(const AttentionHead& head, const PackedB<T>& keys, const AttentionTensors<T>& t, const T* dscores,
                const Block& block) {
  const AttentionBatch& all = head.batch;
  const int64_t first_block = head.visible_keys(block.query, block.query + block.rows).first / kKeyBlock;
  const int64_t before = block.key / kKeyBlock - first_block;
  int32_t& added = t.added[head.log_sum_at(block.query)];
  wait_for_order(added, static_cast<int32_t>(before));
  gemm_tile(block.rows, all.width, block.columns, static_cast<T>(all.scale), Operand<T>{dscores, block.width}, keys,
            T(before > 0), t.dquery + head.query_at(block.query), head.stride);
  advance_order(added);
}

// Adds what a block contributes to dkeys, dvalues and dquery.
template <class T>
void grad_block(const AttentionHead& head, const PackedKeys<T>& packed, const AttentionTensors<T>& t, T* dkeys,
                T* dvalues, const Block& block) {
  const AttentionBatch& all = head.batch;
  const int64_t rows = block.rows, columns = block.columns, width = block.width;
  T* weights = workspace<T>(Workspace::scores, kQueryBlock * kKeyBlock);
  T* dweights = workspace<T>(Workspace::score_gradients, kQueryBlock * kKeyBlock);
  const Operand<T> dout{t.dout + head.out_at(block.query), head.value_stride},
      query{t.query + head.query_at(block.query), head.stride};
  score_block(head, t.query, packed.keys_transposed, block, weights);
  for (int64_t i = 0; i < rows; ++i)
    weights_row(weights + i * width, width, t.log_sums[head.log_sum_at(block.query + i)]);
  const T* dropped = weights;
  if (all.dropout) {
    T* to = workspace<T>(Workspace::dropped_weights, kQueryBlock * kKeyBlock);
    dropout_block(head, weights, to, block);
    dropped = to;
  }
  gemm_tile(columns, all.value_width, rows, T(1), Operand<T>{dropped, width, true}, dout, T(1), dvalues,
            all.value_width, all.precision);
  gemm_tile(rows, columns, all.value_width, T(1), dout, packed.values_transposed, T(0), dweights, width);
  if (all.dropout) dropout_block(head, dweights, dweights, block);
  for (int64_t i = 0; i < rows; ++i)
    dscores_row(weights + i * width, dweights + i * width, width, t.dots[head.log_sum_at(block.query + i)]);
  gemm_tile(columns, all.width, rows, static_cast<T>(all.scale), Operand<T>{dweights, width, true}, query, T(1), dkeys,
            all.width, all.precision);
  add_dquery(head, packed.keys, t, dweights, block);
}

// dkey and dvalue of a block of keys, and what it adds to dquery.
template <class T>
void grad_keys(const AttentionHead& head, const AttentionTensors<T>& t, int64_t key_block) {
  const AttentionBatch& all = head.batch;
  const int64_t j0 = key_block * kKeyBlock, columns = std::min(kKeyBlock, head.keys - j0), size = head.query_block();
  const PackedKeys<T> packed(head, t, j0, columns);
  T* dkeys = workspace<T>(Workspace::key_gradients, kKeyBlock * all.width);
  T* dvalues = workspace<T>(Workspace::value_gradients, kKeyBlock * all.value_width);
  std::fill_n(dkeys, columns * all.width, T(0));
  std::fill_n(dvalues, columns * all.value_width, T(0));
  for (int64_t i0 = 0; i0 < head.queries; i0 += size) {
    const int64_t rows = std::min(size, head.queries - i0);
    const auto [begin, end] = head.visible_keys(i0, i0 + rows);
    if (std::max(begin, j0) >= std::min(end, j0 + columns)) continue;
    grad_block(head, packed, t, dkeys, dvalues, Block::of<T>(i0, rows, j0, std::min(columns, end - j0)));
  }
  copy_rows(dkeys, t.dkey + head.key_at(j0), columns, head.stride, all.width);
  copy_rows(dvalues, t.dvalue + head.value_at(j0), columns, head.value_stride, all.value_width);
}

// rowsum(dA * A) = dout . out of each query, and dquery = 0 of those that see no key.
template <class T>
void prepare_queries(const AttentionHead& head, const AttentionTensors<T>& t) {
  const AttentionBatch& all = head.batch;
  for (int64_t i = 0; i < head.queries; ++i) {
    const int64_t at = head.out_at(i);
    t.dots[head.log_sum_at(i)] = dot_row(t.dout + at, t.out + at, all.value_width);
  }
  const int64_t size = head.query_block();
  for (int64_t i0 = 0; i0 < head.queries; i0 += size) {
    const int64_t rows = std::min(size, head.queries - i0);
    const auto [begin, end] = head.visible_keys(i0, i0 + rows);
    if (begin >= end) clear_rows(t.dquery + head.query_at(i0), rows, head.stride, all.width);
  }
}

// What is done for a head as a whole: everything on the reference path or with one block of keys.
template <class T>
void grad_head(const AttentionHead& head, const AttentionTensors<T>& t) {
  const AttentionBatch& all = head.batch;
  const int64_t unused = all.key_bounds[head.b + 1] - all.key_bounds[head.b] - head.keys;
  clear_rows(t.dkey + head.key_at(head.keys), unused, head.stride, all.width);
  clear_rows(t.dvalue + head.value_at(head.keys), unused, head.value_stride, all.value_width);
  const auto finite_dout = [&] {
    return head.queries == 0 || finite_rows(t.dout + head.out_start, head.queries, head.value_stride, all.value_width);
  };
  const bool reference = needs_reference(head, t) || (all.masked() && !finite_dout());
  t.uses_reference[head.index()] = reference;
  if (reference) return attention_reference_grad(head, t);
  prepare_queries(head, t);
  if (head.key_blocks() == 1) grad_keys(head, t, 0);
}

}  // namespace
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {

template <class T>
void attention_grad(const AttentionBatch& batch, const T* query, const T* key, const T* value, const T* out,
                    const T* log_sums, const T* dout, T* dquery, T* dkey, T* dvalue) noexcept {
  AttentionTensors<T> t{query, key, value, const_cast<T*>(out), const_cast<T*>(log_sums), dout, dquery, dkey, dvalue};
  const int64_t rows = batch.sequences > 0 ? batch.query_bounds[batch.sequences] * batch.heads : 0;
  t.uses_reference = workspace<int32_t>(Workspace::reference_heads, batch.sequences * batch.heads);
  t.dots = workspace<T>(Workspace::output_dots, rows);
  t.added = workspace<int32_t>(Workspace::accumulated_blocks, rows);
  std::fill_n(t.added, rows, 0);
  const auto head_kernel = MIXTAPE_KERNEL(grad_head<T>);
  for_attention_tasks(
      batch, [](const AttentionHead&) { return 1; }, [&](const AttentionHead& head, int64_t) { head_kernel(head, t); });
  const auto keys_kernel = MIXTAPE_KERNEL(grad_keys<T>);
  const auto blocks = [](const AttentionHead& head) { return head.key_blocks() > 1 ? head.key_blocks() : 0; };
  for_attention_tasks(batch, blocks, [&](const AttentionHead& head, int64_t block) {
    if (!t.uses_reference[head.index()]) keys_kernel(head, t, block);
  });
}

template void attention_grad(const AttentionBatch&, const float*, const float*, const float*, const float*,
                             const float*, const float*, float*, float*, float*) noexcept;
template void attention_grad(const AttentionBatch&, const double*, const double*, const double*, const double*,
                             const double*, const double*, double*, double*, double*) noexcept;

}  // namespace mixtape::kernels
#endif

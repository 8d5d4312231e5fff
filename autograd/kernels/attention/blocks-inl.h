// Blocks of scores and rows of them, for the blocked path of attention. Included once per instruction set.
#if defined(MIXTAPE_KERNELS_ATTENTION_BLOCKS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MIXTAPE_KERNELS_ATTENTION_BLOCKS_INL_H
#undef MIXTAPE_KERNELS_ATTENTION_BLOCKS_INL_H
#else
#define MIXTAPE_KERNELS_ATTENTION_BLOCKS_INL_H
#endif

#include <algorithm>
#include <limits>

#include "autograd/kernels/attention/head.h"
#include "autograd/kernels/gemm/gemm.h"
#include "autograd/kernels/philox-inl.h"
#include "autograd/kernels/simd-inl.h"
#include "autograd/kernels/workspace.h"
#include "hwy/cache_control.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

constexpr int64_t kQueryBlock = attention_tuning::kQueryBlock, kKeyBlock = attention_tuning::kKeyBlock;

/// True if all of rows x n elements, stride apart, are finite: x - x is 0 then, and NaN otherwise.
template <class T>
bool finite_rows(const T* x, int64_t rows, int64_t stride, int64_t n) {
  const Wide<T> wide;
  const auto lanes = static_cast<int64_t>(hn::Lanes(wide));
  auto differences = hn::Zero(wide);
  T rest = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const T *from = x + row * stride, *ahead = from + 8 * stride;
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      hwy::Prefetch(ahead + i);
      const auto v = hn::LoadU(wide, from + i);
      differences = hn::Or(differences, hn::Sub(v, v));
    }
    for (; i < n; ++i) rest += from[i] - from[i];
  }
  return rest == T(0) && hn::AllTrue(wide, hn::Eq(differences, hn::Zero(wide)));
}

/// Whether a forward needs the reference path: it is masked, and a NaN or infinity may be hidden.
template <class T>
bool needs_reference(const AttentionHead& head, const AttentionTensors<T>& t) {
  const AttentionBatch& all = head.batch;
  return all.masked() && !(finite_rows(t.query + head.query_start, head.queries, head.stride, all.width) &&
                           finite_rows(t.key + head.key_start, head.keys, head.stride, all.width) &&
                           finite_rows(t.value + head.value_start, head.keys, head.value_stride, all.value_width));
}

/// The queries [query, query + rows) and the keys [key, key + columns). Rows of scores are padded with hidden ones to
/// whole vectors, `width` in all.
struct Block {
  int64_t query, rows, key, columns, width;

  template <class T>
  static Block of(int64_t query, int64_t rows, int64_t key, int64_t columns) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(Wide<T>()));
    return {query, rows, key, columns, (columns + lanes - 1) / lanes * lanes};
  }
};

/// k' of a block of keys, packed for q k'; times the scale if keys are scaled. (A scale above 1 must leave them
/// finite.)
template <class T>
PackedB<T> pack_keys_transposed(const AttentionHead& head, const T* key, int64_t first, int64_t columns) {
  const AttentionBatch& all = head.batch;
  Operand<T> keys{key + head.key_at(first), head.stride, true};
  if (head.scales_keys()) {
    const T scale = static_cast<T>(all.scale);
    T* scaled = workspace<T>(Workspace::scaled_keys, columns * all.width);
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t c = 0; c < all.width; ++c) scaled[j * all.width + c] = scale * keys.data[j * head.stride + c];
    keys = {scaled, all.width, true};
  }
  return pack_b(head.query_block(), columns, all.width, keys, all.precision, Workspace::packed_keys_transposed);
}

/// Hides the scores of the keys that query q does not see.
template <class T>
void mask_row(const AttentionHead& head, const Block& block, int64_t q, T* row) {
  const AttentionBatch& all = head.batch;
  const T hidden = -std::numeric_limits<T>::infinity();
  std::fill(row + block.columns, row + block.width, hidden);
  if (all.allowed) {
    for (int64_t j = 0; j < block.columns; ++j)
      if (!all.sees(head.b, head.h, q, block.key + j)) row[j] = hidden;
  } else if (all.masked()) {
    const auto [first, last] = head.visible_keys(q, q + 1);
    std::fill(row, row + std::clamp<int64_t>(first - block.key, 0, block.columns), hidden);
    std::fill(row + std::clamp<int64_t>(last - block.key, 0, block.columns), row + block.columns, hidden);
  }
}

/// scores = scale q k' + bias, -infinity where a query does not see a key.
template <class T>
void score_block(const AttentionHead& head, const T* query, const PackedB<T>& keys, const Block& block, T* scores) {
  const AttentionBatch& all = head.batch;
  gemm_tile(block.rows, block.columns, all.width, head.scales_keys() ? T(1) : static_cast<T>(all.scale),
            Operand<T>{query + head.query_at(block.query), head.stride}, keys, T(0), scores, block.width);
  for (int64_t i = 0; i < block.rows; ++i) {
    T* row = scores + i * block.width;
    const int64_t q = block.query + i;
    if (all.bias) {
      const T* bias = static_cast<const T*>(all.bias) + head.b * all.bias_strides[0] + head.h * all.bias_strides[1] +
                      q * all.bias_strides[2] + block.key;
      for (int64_t j = 0; j < block.columns; ++j) row[j] += bias[j];
    }
    mask_row(head, block, q, row);
  }
}

template <class T>
void dropout_block(const AttentionHead& head, const T* weights, T* dropped, const Block& block) {
  const DropoutDraw& draw = head.batch.dropout;
  const auto element = [&](int64_t i) { return head.weight_offset + (block.query + i) * head.keys + block.key; };
  RandomWords random(draw, element(0));
  for (int64_t i = 0; i < block.rows; ++i)
    dropout_run(draw, random, weights + i * block.width, dropped + i * block.width, element(i), block.columns);
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

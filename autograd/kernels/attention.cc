#include "autograd/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/kernels/attention_careful.h"
#include "autograd/kernels/gemm.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"
#include "hwy/cache_control.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/attention.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/exp-inl.h"
#include "autograd/kernels/philox-inl.h"
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

// One step of the online softmax on a row of n scores of a block of keys: weights = exp(scores - m) for the new running
// maximum m, the running sum brought up to date. Returns the factor by which what was added up so far shrinks.
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

// True if all of rows x n elements, stride apart, are finite: x - x is 0 then, and NaN otherwise.
template <class T>
bool finite_rows(const T* x, int64_t rows, int64_t stride, int64_t n) {
  const Wide<T> wide;
  const auto lanes = static_cast<int64_t>(hn::Lanes(wide));
  auto differences = hn::Zero(wide);
  T rest = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const T *from = x + row * stride, *soon = from + 8 * stride;
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      hwy::Prefetch(soon + i);
      const auto v = hn::LoadU(wide, from + i);
      differences = hn::Or(differences, hn::Sub(v, v));
    }
    for (; i < n; ++i) rest += from[i] - from[i];
  }
  return rest == T(0) && hn::AllTrue(wide, hn::Eq(differences, hn::Zero(wide)));
}

constexpr int64_t kQueryBlock = 96;
constexpr int64_t kKeyBlock = 256;
constexpr int64_t kGroup = 8;  // blocks of queries that use a block of keys one after the other

// Keys [first, last) of a sequence.
struct KeyRange {
  int64_t first, last;
  bool empty() const { return first >= last; }
  bool meets(int64_t begin, int64_t end) const { return !empty() && last > begin && first < end; }
};

// A block of queries and keys. Rows of scores are filled up with hidden ones to whole vectors, `width` in all.
struct Block {
  int64_t query, rows;   // the first query, and how many
  int64_t key, columns;  // likewise keys
  int64_t width;

  template <class T>
  static Block of(int64_t query, int64_t rows, int64_t key, int64_t columns) {
    const auto lanes = static_cast<int64_t>(hn::Lanes(Wide<T>()));
    return {query, rows, key, columns, (columns + lanes - 1) / lanes * lanes};
  }
};

// One head of one sequence: where its rows start, and how they lie.
template <class T>
struct Head {
  const AttentionBatch& batch;
  int64_t b, h, queries, keys;
  int64_t stride, value_stride;  // from position to position
  int64_t query_start, key_start, value_start, out_start;
  int64_t weight_offset;

  Head(const AttentionBatch& all, int64_t sequence, int64_t head, int64_t first_weight)
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

  int64_t log_sum_at(int64_t i) const { return (batch.query_bounds[b] + i) * batch.heads + h; }
  // Queries are cut into blocks of the same size, so that none is left with a few rows. Few queries that see the keys
  // before them are two blocks, the first of which needs half the keys.
  int64_t query_block() const {
    const int64_t most = batch.causal && queries <= kQueryBlock ? kQueryBlock / 2 : kQueryBlock;
    const int64_t blocks = std::max<int64_t>(1, (queries + most - 1) / most);
    return std::max<int64_t>(1, (queries + blocks - 1) / blocks);
  }
  // Whether keys are multiplied with the scale, or scores are: for a few queries that would be work for nothing, and
  // factors that will be rounded stay as they are.
  bool scales_keys() const { return batch.factors == Factors::exact && queries >= 8; }
  // All keys outside are hidden from the queries [first, last).
  KeyRange keys_seen(int64_t first, int64_t last) const {
    const int64_t shift = batch.diagonal(b), ahead = batch.causal ? 0 : batch.reach;
    return {std::clamp<int64_t>(first + shift - batch.reach, 0, keys),
            std::clamp<int64_t>(last + shift + ahead, 0, keys)};
  }
};

// Columns of keys, transposed, as the product of scores takes them: times the scale if keys are scaled, so that all
// that is left is a product. (A scale above 1 must leave them finite.)
template <class T>
Operand<T> for_scores(const Head<T>& head, const T* keys, int64_t columns) {
  const int64_t width = head.batch.width;
  if (!head.scales_keys()) return {keys, head.stride, true};
  const T scale = static_cast<T>(head.batch.scale);
  T* room = scratch<T>(13, columns * width);
  for (int64_t row = 0; row < columns; ++row)
    for (int64_t i = 0; i < width; ++i) room[row * width + i] = scale * keys[row * head.stride + i];
  return {room, width, true};
}

// scores = scale q k' + bias for a block, -infinity where a query does not see a key.
template <class T>
void score_block(const Head<T>& head, const T* query, const RightOperand<T>& keys, const Block& block, T* scores) {
  const AttentionBatch& all = head.batch;
  gemm_tile(block.rows, block.columns, all.width, head.scales_keys() ? T(1) : static_cast<T>(all.scale),
            Operand<T>{query + head.query_start + block.query * head.stride, head.stride}, keys, T(0), scores,
            block.width);
  const T hidden = -std::numeric_limits<T>::infinity();
  for (int64_t i = 0; i < block.rows; ++i) {
    T* row = scores + i * block.width;
    const int64_t q = block.query + i;
    std::fill(row + block.columns, row + block.width, hidden);
    if (all.bias) {
      const T* bias = static_cast<const T*>(all.bias) + head.b * all.bias_strides[0] + head.h * all.bias_strides[1] +
                      q * all.bias_strides[2] + block.key;
      for (int64_t j = 0; j < block.columns; ++j) row[j] += bias[j];
    }
    if (all.allowed) {
      for (int64_t j = 0; j < block.columns; ++j)
        if (!all.sees(head.b, head.h, q, block.key + j)) row[j] = hidden;
    } else if (all.masked()) {
      const KeyRange seen = head.keys_seen(q, q + 1);
      std::fill(row, row + std::clamp<int64_t>(seen.first - block.key, 0, block.columns), hidden);
      std::fill(row + std::clamp<int64_t>(seen.last - block.key, 0, block.columns), row + block.columns, hidden);
    }
  }
}

template <class T>
void drop_block(const Head<T>& head, const T* weights, T* dropped, const Block& block) {
  const auto first = [&](int64_t i) { return head.weight_offset + (block.query + i) * head.keys + block.key; };
  DrawnGroup drawn(head.batch.dropout, first(0));
  for (int64_t i = 0; i < block.rows; ++i) {
    dropout_run(head.batch.dropout, drawn, weights + i * block.width, dropped + i * block.width, first(i),
                block.columns);
  }
}

// What the online softmax knows of each of a group of queries.
template <class T>
struct Running {
  T maxima[kGroup * kQueryBlock], sums[kGroup * kQueryBlock];
};

// Adds what a block contributes to the outputs of its queries, whose running values are given.
template <class T>
void forward_block(const Head<T>& head, const T* query, const RightOperand<T>& keys, const RightOperand<T>& values,
                   const Block& block, bool first_keys, T* out, T* maxima, T* sums) {
  const AttentionBatch& all = head.batch;
  T* target = out + head.out_start + block.query * head.value_stride;
  T* scores = scratch<T>(0, kQueryBlock * kKeyBlock);
  score_block(head, query, keys, block, scores);
  for (int64_t i = 0; i < block.rows; ++i) {
    const T shrink = online_softmax_row(scores + i * block.width, block.width, maxima + i, sums + i);
    if (!first_keys && shrink != T(1)) scale_row(target + i * head.value_stride, all.value_width, shrink);
  }
  if (all.dropout) drop_block(head, scores, scores, block);
  gemm_tile(block.rows, all.value_width, block.columns, T(1), Operand<T>{scores, block.width}, values, T(!first_keys),
            target, head.value_stride);
}

// The queries [first, last), at most kGroup blocks of them: each block of keys is laid out once for all.
template <class T>
void forward_group(const Head<T>& head, const T* query, const T* key, const T* value, T* out, T* log_sums,
                   int64_t first, int64_t last) {
  const AttentionBatch& all = head.batch;
  const int64_t size = head.query_block();
  Running<T> running;
  std::fill_n(running.maxima, last - first, -std::numeric_limits<T>::infinity());
  std::fill_n(running.sums, last - first, T(0));
  const KeyRange group = head.keys_seen(first, last);
  for (int64_t j0 = group.first; j0 < group.last; j0 += kKeyBlock) {
    const int64_t columns = std::min(kKeyBlock, group.last - j0);
    const auto keys = lay_out(size, columns, all.width,
                              for_scores(head, key + head.key_start + j0 * head.stride, columns), all.factors, 8);
    const auto values =
        lay_out(size, all.value_width, columns,
                Operand<T>{value + head.value_start + j0 * head.value_stride, head.value_stride}, all.factors, 9);
    for (int64_t i0 = first; i0 < last; i0 += size) {
      const int64_t rows = std::min(size, last - i0);
      const KeyRange seen = head.keys_seen(i0, i0 + rows);
      if (!seen.meets(j0, j0 + columns)) continue;
      forward_block(head, query, keys, values, Block::of<T>(i0, rows, j0, std::min(columns, seen.last - j0)),
                    seen.first >= j0 || j0 == group.first, out, running.maxima + (i0 - first),
                    running.sums + (i0 - first));
    }
  }
  for (int64_t i = first; i < last; ++i) {
    const T maximum = running.maxima[i - first], sum = running.sums[i - first];
    T* target = out + head.out_start + i * head.value_stride;
    log_sums[head.log_sum_at(i)] = maximum + std::log(sum);
    if (sum == T(0)) {
      std::fill_n(target, all.value_width, T(0));
    } else {
      scale_row(target, all.value_width, 1 / sum);
    }
  }
}

template <class T>
void forward_head(const Head<T>& head, const T* query, const T* key, const T* value, T* out, T* log_sums) {
  const int64_t size = kGroup * head.query_block();
  for (int64_t i0 = 0; i0 < head.queries; i0 += size)
    forward_group(head, query, key, value, out, log_sums, i0, std::min(i0 + size, head.queries));
}

template <class T>
struct Gradient {
  const T *out, *log_sums, *dout;
  T *dquery, *dkey, *dvalue;
  T *dkeys, *dvalues;  // of a block of keys, one after the other
};

// A block of keys and values as the products of backward take them.
template <class T>
struct KeyBlock {
  RightOperand<T> keys, scoring_keys, values_transposed;

  KeyBlock(const Head<T>& head, const T* key, const T* value, int64_t j0, int64_t columns) {
    const AttentionBatch& all = head.batch;
    const int64_t rows = head.query_block();
    key += head.key_start + j0 * head.stride;
    value += head.value_start + j0 * head.value_stride;
    keys = lay_out(rows, all.width, columns, Operand<T>{key, head.stride}, all.factors, 8);
    scoring_keys = lay_out(rows, columns, all.width, for_scores(head, key, columns), all.factors, 9);
    values_transposed =
        lay_out(rows, columns, all.value_width, Operand<T>{value, head.value_stride, true}, all.factors, 10);
  }
};

template <class T>
void clear_rows(T* x, int64_t rows, int64_t stride, int64_t n) {
  for (int64_t row = 0; row < rows; ++row) std::fill_n(x + row * stride, n, T(0));
}

template <class T>
void copy_rows(const T* from, T* to, int64_t rows, int64_t stride, int64_t n) {
  for (int64_t row = 0; row < rows; ++row) std::copy_n(from + row * n, n, to + row * stride);
}

// Adds what one block contributes to dkeys and dvalues, and to dquery, or puts it there if it is the first to do so.
template <class T>
void grad_block(const Head<T>& head, const T* query, const KeyBlock<T>& laid, const Gradient<T>& g, const T* dots,
                const Block& block, bool first_keys) {
  const AttentionBatch& all = head.batch;
  const int64_t rows = block.rows, columns = block.columns, width = block.width;
  T* weights = scratch<T>(0, kQueryBlock * kKeyBlock);
  T* dweights = scratch<T>(1, kQueryBlock * kKeyBlock);
  const T* dout = g.dout + head.out_start + block.query * head.value_stride;
  const int64_t query_at = head.query_start + block.query * head.stride;
  score_block(head, query, laid.scoring_keys, block, weights);
  for (int64_t i = 0; i < rows; ++i)
    weights_row(weights + i * width, width, g.log_sums[head.log_sum_at(block.query + i)]);
  const T* dropped = weights;
  if (all.dropout) {
    T* room = scratch<T>(2, kQueryBlock * kKeyBlock);
    drop_block(head, weights, room, block);
    dropped = room;
  }
  gemm_tile(columns, all.value_width, rows, T(1), Operand<T>{dropped, width, true}, Operand<T>{dout, head.value_stride},
            T(1), g.dvalues, all.value_width, all.factors);
  gemm_tile(rows, columns, all.value_width, T(1), Operand<T>{dout, head.value_stride}, laid.values_transposed, T(0),
            dweights, width);
  if (all.dropout) drop_block(head, dweights, dweights, block);
  for (int64_t i = 0; i < rows; ++i)
    dscores_row(weights + i * width, dweights + i * width, width, dots[block.query + i]);
  const T scale = static_cast<T>(all.scale);
  gemm_tile(rows, all.width, columns, scale, Operand<T>{dweights, width}, laid.keys, T(!first_keys),
            g.dquery + query_at, head.stride);
  gemm_tile(columns, all.width, rows, scale, Operand<T>{dweights, width, true},
            Operand<T>{query + query_at, head.stride}, T(1), g.dkeys, all.width, all.factors);
}

template <class T>
void grad_head(const Head<T>& head, const T* query, const T* key, const T* value, const Gradient<T>& g) {
  const AttentionBatch& all = head.batch;
  T* dots = scratch<T>(3, head.queries);  // rowsum(dA * A) = dout . out
  for (int64_t i = 0; i < head.queries; ++i) {
    const int64_t at = head.out_start + i * head.value_stride;
    dots[i] = dot_row(g.dout + at, g.out + at, all.value_width);
  }
  const int64_t size = head.query_block();
  for (int64_t i0 = 0; i0 < head.queries; i0 += size) {
    const int64_t rows = std::min(size, head.queries - i0);
    if (head.keys_seen(i0, i0 + rows).empty())
      clear_rows(g.dquery + head.query_start + i0 * head.stride, rows, head.stride, all.width);
  }
  for (int64_t j0 = 0; j0 < head.keys; j0 += kKeyBlock) {
    const int64_t columns = std::min(kKeyBlock, head.keys - j0);
    const KeyBlock<T> laid(head, key, value, j0, columns);
    std::fill_n(g.dkeys, columns * all.width, T(0));
    std::fill_n(g.dvalues, columns * all.value_width, T(0));
    for (int64_t i0 = 0; i0 < head.queries; i0 += size) {
      const int64_t rows = std::min(size, head.queries - i0);
      const KeyRange seen = head.keys_seen(i0, i0 + rows);
      if (!seen.meets(j0, j0 + columns)) continue;
      grad_block(head, query, laid, g, dots, Block::of<T>(i0, rows, j0, std::min(columns, seen.last - j0)),
                 seen.first >= j0);
    }
    copy_rows(g.dkeys, g.dkey + head.key_start + j0 * head.stride, columns, head.stride, all.width);
    copy_rows(g.dvalues, g.dvalue + head.value_start + j0 * head.value_stride, columns, head.value_stride,
              all.value_width);
  }
}

template <class T>
bool finite_head(const Head<T>& head, const T* query, const T* key, const T* value) {
  const AttentionBatch& all = head.batch;
  return finite_rows(query + head.query_start, head.queries, head.stride, all.width) &&
         finite_rows(key + head.key_start, head.keys, head.stride, all.width) &&
         finite_rows(value + head.value_start, head.keys, head.value_stride, all.value_width);
}

// The quick way multiplies what is hidden by 0, which is wrong if it is NaN or infinite: such heads take the careful
// way.
template <class T>
void attend(const AttentionBatch& batch, int64_t b, int64_t h, int64_t first_weight, const T* query, const T* key,
            const T* value, T* out, T* log_sums) {
  const Head<T> head(batch, b, h, first_weight);
  if (batch.masked() && !finite_head(head, query, key, value)) {
    return attention_careful(batch, b, h, head.weight_offset, query, key, value, out, log_sums);
  }
  forward_head(head, query, key, value, out, log_sums);
}

template <class T>
void attend_grad(const AttentionBatch& batch, int64_t b, int64_t h, int64_t first_weight, const T* query, const T* key,
                 const T* value, const T* out, const T* log_sums, const T* dout, T* dquery, T* dkey, T* dvalue) {
  const Head<T> head(batch, b, h, first_weight);
  const int64_t spare = batch.key_bounds[b + 1] - batch.key_bounds[b] - head.keys;
  clear_rows(dkey + head.key_start + head.keys * head.stride, spare, head.stride, batch.width);
  clear_rows(dvalue + head.value_start + head.keys * head.value_stride, spare, head.value_stride, batch.value_width);
  const auto finite_dout = [&] {
    return head.queries == 0 || finite_rows(dout + head.out_start, head.queries, head.value_stride, batch.value_width);
  };
  if (batch.masked() && !(finite_head(head, query, key, value) && finite_dout())) {
    return attention_careful_grad(batch, b, h, head.weight_offset, query, key, value, out, log_sums, dout, dquery, dkey,
                                  dvalue);
  }
  grad_head(head, query, key, value,
            Gradient<T>{out, log_sums, dout, dquery, dkey, dvalue, scratch<T>(11, kKeyBlock * batch.width),
                        scratch<T>(12, kKeyBlock * batch.value_width)});
}

void attend_f32(const AttentionBatch& batch, int64_t b, int64_t h, int64_t first_weight, const float* query,
                const float* key, const float* value, float* out, float* log_sums) {
  attend(batch, b, h, first_weight, query, key, value, out, log_sums);
}
void attend_f64(const AttentionBatch& batch, int64_t b, int64_t h, int64_t first_weight, const double* query,
                const double* key, const double* value, double* out, double* log_sums) {
  attend(batch, b, h, first_weight, query, key, value, out, log_sums);
}
void attend_grad_f32(const AttentionBatch& batch, int64_t b, int64_t h, int64_t first_weight, const float* query,
                     const float* key, const float* value, const float* out, const float* log_sums, const float* dout,
                     float* dquery, float* dkey, float* dvalue) {
  attend_grad(batch, b, h, first_weight, query, key, value, out, log_sums, dout, dquery, dkey, dvalue);
}
void attend_grad_f64(const AttentionBatch& batch, int64_t b, int64_t h, int64_t first_weight, const double* query,
                     const double* key, const double* value, const double* out, const double* log_sums,
                     const double* dout, double* dquery, double* dkey, double* dvalue) {
  attend_grad(batch, b, h, first_weight, query, key, value, out, log_sums, dout, dquery, dkey, dvalue);
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(attend_f32);
HWY_EXPORT(attend_f64);
HWY_EXPORT(attend_grad_f32);
HWY_EXPORT(attend_grad_f64);

// Calls f(b, h, first_weight) for each head of each sequence, first_weight being the number of weights of the sequences
// before b.
template <class F>
void for_heads(const AttentionBatch& batch, const F& f) noexcept {
  int64_t pairs = 0;
  int64_t* first_weight = scratch<int64_t>(2, batch.sequences);
  for (int64_t b = 0; b < batch.sequences; ++b) {
    first_weight[b] = batch.heads * pairs;
    pairs += batch.queries(b) * batch.keys(b);
  }
  if (batch.sequences == 0) return;
  const int64_t average = pairs / batch.sequences * (batch.width + batch.value_width) + 1;
  parallel_for(batch.sequences * batch.heads, grain_for(average, 1 << 15), [&](int64_t first, int64_t last) {
    for (int64_t task = first; task < last; ++task) {
      const int64_t b = task / batch.heads;
      f(b, task % batch.heads, first_weight[b]);
    }
  });
}

}  // namespace

void attention(const AttentionBatch& batch, const float* query, const float* key, const float* value, float* out,
               float* log_sums) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(attend_f32);
  for_heads(batch, [&](int64_t b, int64_t h, int64_t first_weight) {
    run(batch, b, h, first_weight, query, key, value, out, log_sums);
  });
}
void attention(const AttentionBatch& batch, const double* query, const double* key, const double* value, double* out,
               double* log_sums) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(attend_f64);
  for_heads(batch, [&](int64_t b, int64_t h, int64_t first_weight) {
    run(batch, b, h, first_weight, query, key, value, out, log_sums);
  });
}

void attention_grad(const AttentionBatch& batch, const float* query, const float* key, const float* value,
                    const float* out, const float* log_sums, const float* dout, float* dquery, float* dkey,
                    float* dvalue) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(attend_grad_f32);
  for_heads(batch, [&](int64_t b, int64_t h, int64_t first_weight) {
    run(batch, b, h, first_weight, query, key, value, out, log_sums, dout, dquery, dkey, dvalue);
  });
}
void attention_grad(const AttentionBatch& batch, const double* query, const double* key, const double* value,
                    const double* out, const double* log_sums, const double* dout, double* dquery, double* dkey,
                    double* dvalue) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(attend_grad_f64);
  for_heads(batch, [&](int64_t b, int64_t h, int64_t first_weight) {
    run(batch, b, h, first_weight, query, key, value, out, log_sums, dout, dquery, dkey, dvalue);
  });
}

}  // namespace mixtape::kernels
#endif

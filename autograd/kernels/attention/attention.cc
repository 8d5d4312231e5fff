#include "autograd/kernels/attention/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/kernels/attention/reference.h"
#include "autograd/kernels/attention/tasks.h"
#include "autograd/kernels/gemm/gemm.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"
#include "hwy/cache_control.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/attention/attention.cc"
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

using Head = AttentionHead;
constexpr int64_t kQueryBlock = Head::kQueryBlock, kKeyBlock = Head::kKeyBlock;

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

// Columns of keys, transposed, as the product of scores takes them: times the scale if keys are scaled, so that all
// that is left is a product. (A scale above 1 must leave them finite.)
template <class T>
Operand<T> for_scores(const Head& head, const T* keys, int64_t columns) {
  const int64_t width = head.batch.width;
  if (!head.scales_keys()) return {keys, head.stride, true};
  const T scale = static_cast<T>(head.batch.scale);
  T* room = scratch<T>(Room::scaled_keys, columns * width);
  for (int64_t row = 0; row < columns; ++row)
    for (int64_t i = 0; i < width; ++i) room[row * width + i] = scale * keys[row * head.stride + i];
  return {room, width, true};
}

// scores = scale q k' + bias for a block, -infinity where a query does not see a key.
template <class T>
void score_block(const Head& head, const T* query, const RightOperand<T>& keys, const Block& block, T* scores) {
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
void drop_block(const Head& head, const T* weights, T* dropped, const Block& block) {
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
  T maxima[Head::kGroup * kQueryBlock], sums[Head::kGroup * kQueryBlock];
};

// Adds what a block contributes to the outputs of its queries, whose running values are given.
template <class T>
void forward_block(const Head& head, const T* query, const RightOperand<T>& keys, const RightOperand<T>& values,
                   const Block& block, bool first_keys, T* out, T* maxima, T* sums) {
  const AttentionBatch& all = head.batch;
  T* target = out + head.out_start + block.query * head.value_stride;
  T* scores = scratch<T>(Room::scores, kQueryBlock * kKeyBlock);
  score_block(head, query, keys, block, scores);
  for (int64_t i = 0; i < block.rows; ++i) {
    const T shrink = online_softmax_row(scores + i * block.width, block.width, maxima + i, sums + i);
    if (!first_keys && shrink != T(1)) scale_row(target + i * head.value_stride, all.value_width, shrink);
  }
  if (all.dropout) drop_block(head, scores, scores, block);
  gemm_tile(block.rows, all.value_width, block.columns, T(1), Operand<T>{scores, block.width}, values, T(!first_keys),
            target, head.value_stride);
}

// The queries [first, last), a group of blocks: each block of keys is laid out once for all.
template <class T>
void forward_group(const Head& head, const AttentionForward<T>& f, int64_t first, int64_t last) {
  const AttentionBatch& all = head.batch;
  const int64_t size = head.query_block();
  Running<T> running;
  std::fill_n(running.maxima, last - first, -std::numeric_limits<T>::infinity());
  std::fill_n(running.sums, last - first, T(0));
  const KeyRange group = head.keys_seen(first, last);
  for (int64_t j0 = group.first; j0 < group.last; j0 += kKeyBlock) {
    const int64_t columns = std::min(kKeyBlock, group.last - j0);
    const auto keys =
        lay_out(size, columns, all.width, for_scores(head, f.key + head.key_start + j0 * head.stride, columns),
                all.factors, Room::scoring_keys);
    const auto values = lay_out(size, all.value_width, columns,
                                Operand<T>{f.value + head.value_start + j0 * head.value_stride, head.value_stride},
                                all.factors, Room::values);
    for (int64_t i0 = first; i0 < last; i0 += size) {
      const int64_t rows = std::min(size, last - i0);
      const KeyRange seen = head.keys_seen(i0, i0 + rows);
      if (!seen.meets(j0, j0 + columns)) continue;
      forward_block(head, f.query, keys, values, Block::of<T>(i0, rows, j0, std::min(columns, seen.last - j0)),
                    seen.first >= j0 || j0 == group.first, f.out, running.maxima + (i0 - first),
                    running.sums + (i0 - first));
    }
  }
  for (int64_t i = first; i < last; ++i) {
    const T maximum = running.maxima[i - first], sum = running.sums[i - first];
    T* target = f.out + head.out_start + i * head.value_stride;
    f.log_sums[head.log_sum_at(i)] = maximum + std::log(sum);
    if (sum == T(0)) {
      std::fill_n(target, all.value_width, T(0));
    } else {
      scale_row(target, all.value_width, 1 / sum);
    }
  }
}

// A block of keys and values as the products of backward take them.
template <class T>
struct KeyBlock {
  RightOperand<T> keys, scoring_keys, values_transposed;

  KeyBlock(const Head& head, const T* key, const T* value, int64_t j0, int64_t columns) {
    const AttentionBatch& all = head.batch;
    const int64_t rows = head.query_block();
    key += head.key_start + j0 * head.stride;
    value += head.value_start + j0 * head.value_stride;
    keys = lay_out(rows, all.width, columns, Operand<T>{key, head.stride}, all.factors, Room::keys);
    scoring_keys = lay_out(rows, columns, all.width, for_scores(head, key, columns), all.factors, Room::scoring_keys);
    values_transposed =
        lay_out(rows, columns, all.value_width, Operand<T>{value, head.value_stride, true}, all.factors, Room::values);
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

// Adds what one block contributes to dkeys and dvalues, and, when it is this block of keys' turn, to dquery, or puts it
// there if it is the first to do so.
template <class T>
void grad_block(const Head& head, const KeyBlock<T>& laid, const AttentionGradient<T>& g, T* dkeys, T* dvalues,
                const Block& block) {
  const AttentionBatch& all = head.batch;
  const int64_t rows = block.rows, columns = block.columns, width = block.width;
  T* weights = scratch<T>(Room::scores, kQueryBlock * kKeyBlock);
  T* dweights = scratch<T>(Room::score_gradients, kQueryBlock * kKeyBlock);
  const T* dout = g.dout + head.out_start + block.query * head.value_stride;
  const int64_t query_at = head.query_start + block.query * head.stride;
  score_block(head, g.query, laid.scoring_keys, block, weights);
  for (int64_t i = 0; i < rows; ++i)
    weights_row(weights + i * width, width, g.log_sums[head.log_sum_at(block.query + i)]);
  const T* dropped = weights;
  if (all.dropout) {
    T* room = scratch<T>(Room::dropped_weights, kQueryBlock * kKeyBlock);
    drop_block(head, weights, room, block);
    dropped = room;
  }
  gemm_tile(columns, all.value_width, rows, T(1), Operand<T>{dropped, width, true}, Operand<T>{dout, head.value_stride},
            T(1), dvalues, all.value_width, all.factors);
  gemm_tile(rows, columns, all.value_width, T(1), Operand<T>{dout, head.value_stride}, laid.values_transposed, T(0),
            dweights, width);
  if (all.dropout) drop_block(head, dweights, dweights, block);
  for (int64_t i = 0; i < rows; ++i)
    dscores_row(weights + i * width, dweights + i * width, width, g.dots[head.log_sum_at(block.query + i)]);
  const T scale = static_cast<T>(all.scale);
  gemm_tile(columns, all.width, rows, scale, Operand<T>{dweights, width, true},
            Operand<T>{g.query + query_at, head.stride}, T(1), dkeys, all.width, all.factors);
  const int64_t first_block = head.keys_seen(block.query, block.query + rows).first / kKeyBlock;
  const int64_t before = block.key / kKeyBlock - first_block;  // blocks of keys that give to dquery before this one
  int32_t& turn = g.turns[head.log_sum_at(block.query)];
  wait_for_turn(turn, static_cast<int32_t>(before));
  gemm_tile(rows, all.width, columns, scale, Operand<T>{dweights, width}, laid.keys, T(before > 0), g.dquery + query_at,
            head.stride);
  pass_turn(turn);
}

// All that a block of keys and values gets, and gives to dquery.
template <class T>
void grad_keys(const Head& head, const AttentionGradient<T>& g, int64_t key_block) {
  const AttentionBatch& all = head.batch;
  const int64_t j0 = key_block * kKeyBlock, columns = std::min(kKeyBlock, head.keys - j0), size = head.query_block();
  const KeyBlock<T> laid(head, g.key, g.value, j0, columns);
  T *dkeys = scratch<T>(Room::key_gradients, kKeyBlock * all.width),
    *dvalues = scratch<T>(Room::value_gradients, kKeyBlock * all.value_width);
  std::fill_n(dkeys, columns * all.width, T(0));
  std::fill_n(dvalues, columns * all.value_width, T(0));
  for (int64_t i0 = 0; i0 < head.queries; i0 += size) {
    const int64_t rows = std::min(size, head.queries - i0);
    const KeyRange seen = head.keys_seen(i0, i0 + rows);
    if (!seen.meets(j0, j0 + columns)) continue;
    grad_block(head, laid, g, dkeys, dvalues, Block::of<T>(i0, rows, j0, std::min(columns, seen.last - j0)));
  }
  copy_rows(dkeys, g.dkey + head.key_start + j0 * head.stride, columns, head.stride, all.width);
  copy_rows(dvalues, g.dvalue + head.value_start + j0 * head.value_stride, columns, head.value_stride, all.value_width);
}

// What backward does to the queries of a head before it comes to keys: rowsum(dA * A) = dout . out of each, and dquery
// 0 where none is seen.
template <class T>
void prepare_queries(const Head& head, const AttentionGradient<T>& g) {
  const AttentionBatch& all = head.batch;
  for (int64_t i = 0; i < head.queries; ++i) {
    const int64_t at = head.out_start + i * head.value_stride;
    g.dots[head.log_sum_at(i)] = dot_row(g.dout + at, g.out + at, all.value_width);
  }
  const int64_t size = head.query_block();
  for (int64_t i0 = 0; i0 < head.queries; i0 += size) {
    const int64_t rows = std::min(size, head.queries - i0);
    if (head.keys_seen(i0, i0 + rows).empty())
      clear_rows(g.dquery + head.query_start + i0 * head.stride, rows, head.stride, all.width);
  }
}

// The quick way multiplies what is hidden by 0, which is wrong if it is NaN or infinite: such heads take the careful
// way.
template <class T>
bool needs_care(const Head& head, const T* query, const T* key, const T* value) {
  const AttentionBatch& all = head.batch;
  return all.masked() && !(finite_rows(query + head.query_start, head.queries, head.stride, all.width) &&
                           finite_rows(key + head.key_start, head.keys, head.stride, all.width) &&
                           finite_rows(value + head.value_start, head.keys, head.value_stride, all.value_width));
}

// The last groups come first, as they may see more keys.
template <class T>
void attend(const Head& head, const AttentionForward<T>& f, int64_t part) {
  const int64_t groups = head.query_groups(), size = Head::kGroup * head.query_block();
  if (f.careful ? f.careful[head.index()] != 0 : needs_care(head, f.query, f.key, f.value)) {
    if (part == 0)
      attention_careful(head.batch, head.b, head.h, head.weight_offset, f.query, f.key, f.value, f.out, f.log_sums);
    return;
  }
  const int64_t first = (groups - 1 - part) * size;
  forward_group(head, f, first, std::min(first + size, head.queries));
}

// What is done for a head as a whole: all of it if it takes the careful way or has one block of keys.
template <class T>
void begin_grad(const Head& head, const AttentionGradient<T>& g) {
  const AttentionBatch& all = head.batch;
  const int64_t spare = all.key_bounds[head.b + 1] - all.key_bounds[head.b] - head.keys;
  clear_rows(g.dkey + head.key_start + head.keys * head.stride, spare, head.stride, all.width);
  clear_rows(g.dvalue + head.value_start + head.keys * head.value_stride, spare, head.value_stride, all.value_width);
  const auto finite_dout = [&] {
    return head.queries == 0 || finite_rows(g.dout + head.out_start, head.queries, head.value_stride, all.value_width);
  };
  const bool careful = needs_care(head, g.query, g.key, g.value) || (all.masked() && !finite_dout());
  g.careful[head.index()] = careful;
  if (careful) {
    return attention_careful_grad(all, head.b, head.h, head.weight_offset, g.query, g.key, g.value, g.out, g.log_sums,
                                  g.dout, g.dquery, g.dkey, g.dvalue);
  }
  prepare_queries(head, g);
  if (head.key_blocks() == 1) grad_keys(head, g, 0);
}

void attend_f32(const Head& head, const AttentionForward<float>& f, int64_t part) { attend(head, f, part); }
void attend_f64(const Head& head, const AttentionForward<double>& f, int64_t part) { attend(head, f, part); }
bool needs_care_f32(const Head& head, const AttentionForward<float>& f) {
  return needs_care(head, f.query, f.key, f.value);
}
bool needs_care_f64(const Head& head, const AttentionForward<double>& f) {
  return needs_care(head, f.query, f.key, f.value);
}
void begin_grad_f32(const Head& head, const AttentionGradient<float>& g) { begin_grad(head, g); }
void begin_grad_f64(const Head& head, const AttentionGradient<double>& g) { begin_grad(head, g); }
void grad_keys_f32(const Head& head, const AttentionGradient<float>& g, int64_t block) { grad_keys(head, g, block); }
void grad_keys_f64(const Head& head, const AttentionGradient<double>& g, int64_t block) { grad_keys(head, g, block); }

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(attend_f32);
HWY_EXPORT(attend_f64);
HWY_EXPORT(needs_care_f32);
HWY_EXPORT(needs_care_f64);
HWY_EXPORT(begin_grad_f32);
HWY_EXPORT(begin_grad_f64);
HWY_EXPORT(grad_keys_f32);
HWY_EXPORT(grad_keys_f64);

template <class Attend, class NeedsCare, class T>
void attention_with(Attend attend, NeedsCare needs_care, const AttentionBatch& batch, AttentionForward<T> f) noexcept {
  const auto groups = [](const AttentionHead& head) { return head.query_groups(); };
  bool cut = false;
  for (int64_t b = 0; b < batch.sequences; ++b) cut |= groups(AttentionHead(batch, b, 0, 0)) > 1;
  if (cut) {
    f.careful = scratch<int32_t>(Room::careful_heads, batch.sequences * batch.heads);
    for_heads(batch, [&](const AttentionHead& head) { f.careful[head.index()] = needs_care(head, f); });
  }
  for_parts(batch, groups, [&](const AttentionHead& head, int64_t part) { attend(head, f, part); });
}

// Blocks of keys add to the gradients of the same queries one after the other, so that sums do not depend on threads.
template <class Whole, class Keys, class T>
void gradient_with(Whole whole, Keys keys, const AttentionBatch& batch, AttentionGradient<T> g) noexcept {
  const int64_t rows = batch.sequences > 0 ? batch.query_bounds[batch.sequences] * batch.heads : 0;
  g.careful = scratch<int32_t>(Room::careful_heads, batch.sequences * batch.heads);
  g.dots = scratch<T>(Room::output_dots, rows);
  g.turns = scratch<int32_t>(Room::turns, rows);
  std::fill_n(g.turns, rows, 0);
  for_heads(batch, [&](const AttentionHead& head) { whole(head, g); });
  const auto blocks = [](const AttentionHead& head) { return head.key_blocks() > 1 ? head.key_blocks() : 0; };
  for_parts(batch, blocks, [&](const AttentionHead& head, int64_t block) {
    if (!g.careful[head.index()]) keys(head, g, block);
  });
}

}  // namespace

void attention(const AttentionBatch& batch, const float* query, const float* key, const float* value, float* out,
               float* log_sums) noexcept {
  attention_with(HWY_DYNAMIC_DISPATCH(attend_f32), HWY_DYNAMIC_DISPATCH(needs_care_f32), batch,
                 AttentionForward<float>{query, key, value, out, log_sums});
}
void attention(const AttentionBatch& batch, const double* query, const double* key, const double* value, double* out,
               double* log_sums) noexcept {
  attention_with(HWY_DYNAMIC_DISPATCH(attend_f64), HWY_DYNAMIC_DISPATCH(needs_care_f64), batch,
                 AttentionForward<double>{query, key, value, out, log_sums});
}

void attention_grad(const AttentionBatch& batch, const float* query, const float* key, const float* value,
                    const float* out, const float* log_sums, const float* dout, float* dquery, float* dkey,
                    float* dvalue) noexcept {
  gradient_with(HWY_DYNAMIC_DISPATCH(begin_grad_f32), HWY_DYNAMIC_DISPATCH(grad_keys_f32), batch,
                AttentionGradient<float>{query, key, value, out, log_sums, dout, dquery, dkey, dvalue});
}
void attention_grad(const AttentionBatch& batch, const double* query, const double* key, const double* value,
                    const double* out, const double* log_sums, const double* dout, double* dquery, double* dkey,
                    double* dvalue) noexcept {
  gradient_with(HWY_DYNAMIC_DISPATCH(begin_grad_f64), HWY_DYNAMIC_DISPATCH(grad_keys_f64), batch,
                AttentionGradient<double>{query, key, value, out, log_sums, dout, dquery, dkey, dvalue});
}

}  // namespace mixtape::kernels
#endif

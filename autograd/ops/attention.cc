#include "autograd/kernels/attention/attention.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels/attention/reference.h"
#include "autograd/ops/internal/common.h"
#include "autograd/ops/internal/draw.h"
#include "autograd/ops/internal/products.h"
#include "autograd/tape/flops.h"

namespace mixtape {
namespace {

// How an attention is set up, but for the tensors: what rules may capture.
struct Setting {
  bool causal;
  int64_t reach;
  double scale;
  kernels::DropoutDraw draw;
};

// The inputs of an attention line, in this order. The last three may be undefined.
enum Input { kQuery, kKey, kValue, kQueryOffsets, kKeyOffsets, kLengths, kPairs, kBias, kInputs };
using Inputs = std::array<Tensor, kInputs>;

void check_mask_shape(const char* what, const Tensor& mask, const Shape& pairs) {
  if (!mask) return;
  const bool fits = mask.size(-1) >= pairs[3] && mask.size(-2) >= pairs[2] &&
                    (mask.rank() < 3 || mask.size(0) == pairs[0]) && (mask.rank() < 4 || mask.size(1) == pairs[1]);
  if (!fits)
    fail(fmt::format("attention: {} {} for [B, H, Tq, Tk] = {}", what, to_string(mask.shape()), to_string(pairs)));
}

Bounds bounds_of(const char* what, const Tensor& x, const Bounds& given) {
  if (x.rank() != 3 && x.rank() != 4)
    fail(fmt::format("attention: {} {}, expected [B, T, H, D] or [rows, H, D]", what, to_string(x.shape())));
  if (!given.defined()) return x.rank() == 4 ? Bounds::uniform(x.size(0), x.size(1)) : Bounds::uniform(1, x.size(0));
  const int64_t rows = x.rank() == 4 ? x.size(0) * x.size(1) : x.size(0);
  if (given.rows() != rows)
    fail(fmt::format("attention: {} {} with bounds of {} rows", what, to_string(x.shape()), given.rows()));
  return given;
}

Inputs checked_inputs(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionOptions& options) {
  check_same_dtype("attention", query, key);
  check_same_dtype("attention", query, value);
  const Bounds queries = bounds_of("query", query, options.query_bounds),
               keys = bounds_of("key", key, options.key_bounds);
  const Bounds values = bounds_of("value", value, options.key_bounds);
  if (queries.sequences() != keys.sequences() || values.rows() != keys.rows() || query.size(-1) != key.size(-1) ||
      query.size(-2) != key.size(-2) || query.size(-2) != value.size(-2)) {
    fail(fmt::format("attention: query {}, key {} and value {} do not fit", to_string(query.shape()),
                     to_string(key.shape()), to_string(value.shape())));
  }
  const Mask& mask = options.mask;
  const Shape pairs{queries.sequences(), query.size(-2), queries.longest(), keys.longest()};
  check_mask_shape("allowed pairs", mask.pairs(), pairs);
  check_mask_shape("bias", mask.bias(), pairs);
  if (mask.bias()) check_same_dtype("attention", query, mask.bias());
  if (mask.lengths() && mask.lengths().elements() != keys.sequences()) {
    fail(fmt::format("attention: {} key lengths for {} sequences", mask.lengths().elements(), keys.sequences()));
  }
  for (int64_t b = 0; mask.lengths() && b < keys.sequences(); ++b) {
    const int32_t length = mask.lengths().data<int32_t>()[b];
    if (length < 0 || length > keys.length(b))
      fail(fmt::format("attention: key length {} of sequence {} with {} keys", length, b, keys.length(b)));
  }
  return {query, key, value, queries.offsets(), keys.offsets(), mask.lengths(), mask.pairs(), mask.bias()};
}

void mask_strides(const Tensor& mask, int64_t* strides) {
  const int64_t row = mask.size(-1), matrix = mask.size(-2) * row;
  strides[2] = row;
  strides[1] = mask.rank() == 4 ? matrix : 0;
  strides[0] = mask.rank() == 4 ? mask.size(1) * matrix : (mask.rank() == 3 ? matrix : 0);
}

kernels::AttentionBatch batch_of(Tensors in, const Setting& setting) {
  kernels::AttentionBatch batch;
  batch.sequences = in[kQueryOffsets].elements() - 1;
  batch.query_bounds = in[kQueryOffsets].data<int32_t>();
  batch.key_bounds = in[kKeyOffsets].data<int32_t>();
  batch.heads = in[kQuery].size(-2);
  batch.width = in[kQuery].size(-1);
  batch.value_width = in[kValue].size(-1);
  batch.scale = setting.scale;
  batch.causal = setting.causal;
  batch.reach = setting.reach;
  batch.dropout = setting.draw;
  batch.precision = product_precision();
  if (in[kLengths]) batch.key_counts = in[kLengths].data<int32_t>();
  if (in[kPairs]) {
    batch.allowed = in[kPairs].data<int32_t>();
    mask_strides(in[kPairs], batch.allowed_strides);
  }
  if (in[kBias]) {
    batch.bias = in[kBias].raw_data();
    mask_strides(in[kBias], batch.bias_strides);
  }
  return batch;
}

Setting setting_of(const Tensor& query, const AttentionOptions& options, bool with_dropout) {
  if (!(options.dropout >= 0 && options.dropout < 1))
    fail(fmt::format("attention: dropout {}, expected 0 <= p < 1", options.dropout));
  const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(query.size(-1))));
  const int64_t reach =
      std::min(options.mask.reach().value_or(kernels::AttentionBatch::kFar), kernels::AttentionBatch::kFar);
  return {options.mask.is_causal(), reach, scale,
          with_dropout ? dropout_draw(options.dropout) : kernels::DropoutDraw{}};
}

int64_t flops_of(const kernels::AttentionBatch& batch) {
  int64_t pairs = 0;
  for (int64_t b = 0; b < batch.sequences; ++b) pairs += batch.queries(b) * batch.keys(b);
  return 2 * pairs * batch.heads * (batch.width + batch.value_width);
}

// --- the composed definition, on padded [B, H, T, D] tensors

Tensor by_heads(const Tensor& x, const Tensor& offsets) {
  const Tensor rows = x.rank() == 4 ? reshape(x, Shape{x.size(0) * x.size(1), x.size(2), x.size(3)}) : x;
  return transpose(to_padded(rows, Bounds::from_offsets(offsets)), 1, 2);
}

Shape pairs_shape(std::span<const Tensor> in) {
  const Bounds queries = Bounds::from_offsets(in[kQueryOffsets]), keys = Bounds::from_offsets(in[kKeyOffsets]);
  return {queries.sequences(), in[kQuery].size(-2), queries.longest(), keys.longest()};
}

// f(b, h, i, j) for each pair of a sequence, 0 for padding, as [B, H, Tq, Tk].
template <class T, class F>
Tensor tabulate(const kernels::AttentionBatch& batch, const Shape& shape, const F& f) {
  Tensor result = Tensor::zeros(shape, dtype_of<T>);
  T* data = result.mutable_data<T>();
  for (int64_t b = 0; b < shape[0]; ++b)
    for (int64_t h = 0; h < shape[1]; ++h)
      for (int64_t i = 0; i < batch.queries(b); ++i)
        for (int64_t j = 0; j < batch.keys(b); ++j)
          data[((b * shape[1] + h) * shape[2] + i) * shape[3] + j] = static_cast<T>(f(b, h, i, j));
  return result;
}

Tensor visible_pairs(std::span<const Tensor> in, const Setting& setting) {
  const kernels::AttentionBatch batch = batch_of(in, setting);
  return tabulate<int32_t>(batch, pairs_shape(in),
                           [&](int64_t b, int64_t h, int64_t i, int64_t j) { return batch.sees(b, h, i, j); });
}

// What dropout multiplies each weight with: 0 or 1 / (1 - p).
Tensor dropout_factors(std::span<const Tensor> in, const Setting& setting) {
  const kernels::AttentionBatch batch = batch_of(in, setting);
  const Shape shape = pairs_shape(in);
  std::vector<int64_t> first(static_cast<size_t>(shape[0]) + 1, 0);
  for (int64_t b = 0; b < shape[0]; ++b) {
    first[static_cast<size_t>(b) + 1] = first[static_cast<size_t>(b)] + batch.heads * batch.queries(b) * batch.keys(b);
  }
  const auto factor = [&](int64_t b, int64_t h, int64_t i, int64_t j) {
    const int64_t element = first[static_cast<size_t>(b)] + (h * batch.queries(b) + i) * batch.keys(b) + j;
    return kernels::keeps_weight(batch.dropout, element) ? batch.dropout.scale : 0;
  };
  if (in[kQuery].dtype() == f64) return tabulate<double>(batch, shape, factor);
  return tabulate<float>(batch, shape, factor);
}

bool all_finite(const Tensor& x) {
  return dispatch(x.dtype(), [&]<class T>(T) {
    for (int64_t i = 0; i < x.elements(); ++i)
      if (!std::isfinite(x.data<T>()[i])) return false;
    return true;
  });
}

// x [B, H, Tk, D] as seen by each query, [B, H, Tq, Tk, D], with 0 where it is hidden.
Tensor seen(const Tensor& x, const Tensor& visible) {
  const Tensor per_query = reshape(x, Shape{x.size(0), x.size(1), 1, x.size(2), x.size(3)});
  return where(reshape(visible, visible.shape().followed_by({1})), per_query, Tensor::scalar(0, x.dtype()));
}

Tensor composed_scores(const Tensor& q, const Tensor& k, const Tensor& visible) {
  if (all_finite(q) && all_finite(k)) return matmul(q, k, {.transpose_b = true});
  return sum(reshape(q, q.shape().inserted(3, 1)) * seen(k, visible),
             -1);  // never multiplies what is hidden, which may be NaN
}

Tensor composed_mix(const Tensor& weights, const Tensor& v, const Tensor& visible) {
  if (all_finite(v)) return matmul(weights, v);
  return sum(reshape(weights, weights.shape().followed_by({1})) * seen(v, visible), 3);
}

Tensor composed_weights(std::span<const Tensor> in, const Setting& setting, const Tensor& visible) {
  const DType dtype = in[kQuery].dtype();
  Tensor scores =
      composed_scores(by_heads(in[kQuery], in[kQueryOffsets]), by_heads(in[kKey], in[kKeyOffsets]), visible) *
      setting.scale;
  if (in[kBias]) {
    const Shape pairs = pairs_shape(in);
    const Tensor cut = slice(slice(in[kBias], -1, 0, pairs[3]), -2, 0, pairs[2]);
    scores = scores + (cut.rank() == 3 ? reshape(cut, cut.shape().inserted(1, 1)) : cut);
  }
  if (scores.size(-1) == 0) return scores;
  const Tensor zero = Tensor::scalar(0, dtype);
  const Tensor lowest = where(visible, scores.detach(), Tensor::scalar(-INFINITY, dtype));
  const Tensor top = max(lowest, -1, true);
  const Tensor finite_top = where(greater(top, Tensor::full(top.shape(), -INFINITY, dtype)), top, zero);
  const Tensor e = where(visible, exp(where(visible, scores - finite_top, zero)), zero);
  const Tensor total = sum(e, -1, true);
  // The largest e of a row is 1, so that a smaller total means that the row sees nothing.
  const Tensor none = greater(Tensor::full(total.shape(), 0.5, dtype), total);
  return e / where(none, Tensor::scalar(1, dtype), total);
}

// dropout(weights) V, in the layout of the query.
Tensor mixed(std::span<const Tensor> in, const Setting& setting, const Tensor& visible, Tensor weights) {
  if (setting.draw) weights = weights * dropout_factors(in, setting);
  const Tensor heads = transpose(composed_mix(weights, by_heads(in[kValue], in[kKeyOffsets]), visible), 1, 2);
  const Shape shape = in[kQuery].shape().with(-1, in[kValue].size(-1));
  return reshape(to_packed(heads, Bounds::from_offsets(in[kQueryOffsets])), shape);
}

Tensor composed_attention(std::span<const Tensor> in, const Setting& setting) {
  const Tensor visible = visible_pairs(in, setting);
  return mixed(in, setting, visible, composed_weights(in, setting, visible));
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options) {
  const Inputs in = checked_inputs(query, key, value, options);
  const Setting setting = setting_of(query, options, true);
  if (in[kBias] && Tape::tracks(in[kBias])) return composed_attention(in, setting);
  Tensor out = Tensor::uninitialized(query.shape().with(-1, value.size(-1)), query.dtype());
  Tensor log_sums = Tensor::uninitialized(query.shape().without(-1), query.dtype());
  const kernels::AttentionBatch batch = batch_of(in, setting);
  count_flops(flops_of(batch));
  dispatch(query.dtype(), [&]<class T>(T) {
    kernels::attention(batch, query.data<T>(), key.data<T>(), value.data<T>(), out.mutable_data<T>(),
                       log_sums.mutable_data<T>());
  });
  const Tensor q = saved_operand(query), k = saved_operand(key), v = saved_operand(value);
  return record(
      "scaled_dot_product_attention", in, out,
      Rule({query, key, value},
           Save{q, k, v, in[kQueryOffsets], in[kKeyOffsets], in[kLengths], in[kPairs], in[kBias], out, log_sums},
           [setting](const Tensor& dout, const Tensor& query, const Tensor& key, const Tensor& value,
                     const Tensor& query_offsets, const Tensor& key_offsets, const Tensor& lengths, const Tensor& pairs,
                     const Tensor& bias, const Tensor& out, const Tensor& log_sums, Gradient& dquery, Gradient& dkey,
                     Gradient& dvalue) {
             // dV = A' dO, dA = dO V', dS = A * (dA - rowsum(dA * A)), dQ = scale dS K, dK = scale dS' Q
             const kernels::AttentionBatch batch =
                 batch_of({query, key, value, query_offsets, key_offsets, lengths, pairs, bias}, setting);
             dispatch(query.dtype(), [&]<class T>(T) {
               kernels::attention_grad(batch, query.data<T>(), key.data<T>(), value.data<T>(), out.data<T>(),
                                       log_sums.data<T>(), dout.data<T>(), dquery.data<T>(), dkey.data<T>(),
                                       dvalue.data<T>());
             });
           },
           {.overwrite = {out, k, v}}),
      [setting](std::span<const Tensor> in) { return composed_attention(in, setting); });
}

Tensor attention_weights(const Tensor& query, const Tensor& key, const AttentionOptions& options) {
  const Inputs in = checked_inputs(query, key, key, options);
  const Setting setting = setting_of(query, options, false);
  return composed_weights(in, setting, visible_pairs(in, setting));
}

Tensor attention_mix(const Tensor& weights, const Tensor& value, const AttentionOptions& options) {
  if (weights.rank() != 4)
    fail(fmt::format("attention_mix: weights {}, expected [B, H, Tq, Tk]", to_string(weights.shape())));
  const Bounds& bounds = options.query_bounds;
  const Shape rows = bounds.defined() ? Shape{bounds.rows()} : Shape{weights.size(0), weights.size(2)};
  const Tensor like_query = Tensor::zeros(rows.followed_by({weights.size(1), value.size(-1)}), weights.dtype());
  const Inputs in = checked_inputs(like_query, value, value, options);
  if (!(pairs_shape(in) == weights.shape())) {
    fail(fmt::format("attention_mix: weights {} for [B, H, Tq, Tk] = {}", to_string(weights.shape()),
                     to_string(pairs_shape(in))));
  }
  const Setting setting = setting_of(like_query, options, true);
  return mixed(in, setting, visible_pairs(in, setting), weights);
}

Tensor composed::scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                              const AttentionOptions& options) {
  const Inputs in = checked_inputs(query, key, value, options);
  return composed_attention(in, setting_of(query, options, true));
}

}  // namespace mixtape

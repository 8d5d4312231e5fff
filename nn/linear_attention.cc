#include "nn/linear_attention.h"

#include <fmt/format.h>

#include "autograd/tensors/error.h"

namespace mixtape::nn {
namespace {

constexpr int64_t kChunk = 64;  // positions; within a chunk the attention matrix is formed

// elu(x) + 1, which is positive.
Tensor features(const Tensor& x) {
  const Tensor above = relu(x);
  return above + exp(x - above);
}

// [v, 1]: the column of ones gives the denominator along with the numerators.
Tensor with_ones(const Tensor& value) {
  return concat({value, Tensor::ones(value.shape().with(-1, 1), value.dtype())}, -1);
}

Tensor attend_to_all(const Tensor& query, const Tensor& key, const Tensor& value) {
  return matmul(query, matmul(key, value, {.transpose_a = true}));
}

Tensor attend_to_past(const Tensor& query, const Tensor& key, const Tensor& value) {
  const int64_t length = query.size(2);
  std::vector<Tensor> results;
  Tensor sums;  // over all chunks so far
  for (int64_t first = 0; first < length; first += kChunk) {
    const int64_t size = std::min(kChunk, length - first);
    const auto chunk = [&](const Tensor& x) { return slice(x, 2, first, first + size); };
    const Tensor q = chunk(query), k = chunk(key), v = chunk(value);
    std::vector<int32_t> past(static_cast<size_t>(size * size));
    for (int64_t i = 0; i < size * size; ++i) past[static_cast<size_t>(i)] = i % size <= i / size;
    const Tensor weights =
        where(Tensor::from(past, {size, size}), matmul(q, k, {.transpose_b = true}), Tensor::scalar(0, q.dtype()));
    const Tensor within = matmul(weights, v);
    results.push_back(sums ? within + matmul(q, sums) : within);
    const Tensor more = matmul(k, v, {.transpose_a = true});
    sums = sums ? sums + more : more;
  }
  return concat(results, 2);
}

}  // namespace

LinearAttention::LinearAttention(LinearAttentionOptions chosen, Random& random)
    : query(chosen.width, chosen.width, random),
      key(chosen.width, chosen.width, random),
      value(chosen.width, chosen.width, random),
      output(chosen.width, chosen.width, random),
      options(chosen) {
  if (options.heads < 1 || options.width % options.heads != 0) {
    fail(fmt::format("linear attention: width {} is no multiple of {} heads", options.width, options.heads));
  }
}

Tensor LinearAttention::forward(const Tensor& x, const Bounds& bounds) const {
  const int64_t width = options.width / options.heads;
  const Bounds sequences = bounds.defined() ? bounds : Bounds::uniform(x.size(0), x.size(1));
  const auto by_heads = [&](const Tensor& rows) {  // [B, H, T, D]
    const Shape heads{sequences.rows(), options.heads, width};
    return transpose(to_padded(reshape(rows, heads), sequences), 1, 2);
  };
  const Shape places{sequences.sequences(), 1, sequences.longest(), 1};
  Tensor keys = features(by_heads(key(x)));
  keys = where(reshape(sequences.padded_places(), places), keys, Tensor::scalar(0, x.dtype()));
  const Tensor queries = features(by_heads(query(x))), values = with_ones(by_heads(value(x)));
  const Tensor sums = options.causal ? attend_to_past(queries, keys, values) : attend_to_all(queries, keys, values);
  const Tensor mixed = slice(sums, -1, 0, width) / slice(sums, -1, width, width + 1);
  return output(reshape(to_packed(transpose(mixed, 1, 2), sequences), x.shape()));
}

}  // namespace mixtape::nn

#include "nn/multi_head_attention.h"

#include <fmt/format.h>

#include "autograd/tensors/error.h"

namespace mixtape::nn {
namespace {

thread_local AttentionRecorder* recorder = nullptr;

}  // namespace

AttentionRecorder::AttentionRecorder() : outer_(recorder) { recorder = this; }
AttentionRecorder::~AttentionRecorder() { recorder = outer_; }
bool AttentionRecorder::active() { return recorder != nullptr; }

MultiHeadAttention::MultiHeadAttention(MultiHeadAttentionOptions chosen, Random& random)
    : query(chosen.width, chosen.width, random),
      key(chosen.width, chosen.width, random),
      value(chosen.width, chosen.width, random),
      output(chosen.width, chosen.width, random),
      options(chosen) {
  if (options.heads < 1 || options.width % options.heads != 0) {
    fail(fmt::format("multi-head attention: width {} is no multiple of {} heads", options.width, options.heads));
  }
}

Tensor MultiHeadAttention::by_heads(const Tensor& x) const {
  const Shape outer = x.shape().slice(0, x.rank() - 1);
  return reshape(x, outer.followed_by({options.heads, options.width / options.heads}));
}

KeysValues MultiHeadAttention::project(const Tensor& memory) const {
  return inside([&] { return KeysValues{by_heads(key(memory)), by_heads(value(memory))}; });
}

// heads -> [..., C]. Composed ops if the weights are recorded.
Tensor MultiHeadAttention::mix(const Tensor& x, const KeysValues& memory, const Attend& attend) const {
  const AttentionOptions how{
      .mask = attend.mask, .query_bounds = attend.queries, .key_bounds = attend.keys, .dropout = options.dropout};
  const Tensor queries = by_heads(query(x));
  if (!recorder) return reshape(scaled_dot_product_attention(queries, memory.keys, memory.values, how), x.shape());
  const Tensor weights = attention_weights(queries, memory.keys, how);
  for (AttentionRecorder* each = recorder; each; each = each->outer_)
    each->entries_.push_back({to_string(current_path()), weights});
  return reshape(attention_mix(weights, memory.values, how), x.shape());
}

Tensor MultiHeadAttention::forward(const Tensor& x, const Attend& attend) const {
  Attend self = attend;
  self.keys = attend.queries;
  return output(mix(x, project(x), self));
}

Tensor MultiHeadAttention::forward(const Tensor& x, const Tensor& memory, const Attend& attend) const {
  return output(mix(x, project(memory), attend));
}

MultiHeadAttention::WithWeights MultiHeadAttention::with_weights(const Tensor& x, const Tensor& memory,
                                                                 const Attend& attend) const {
  AttentionRecorder own;
  const Tensor result = (*this)(x, memory, attend);
  return {result, own.entries().back().weights};
}

Tensor MultiHeadAttention::attend_to(const Tensor& x, const KeysValues& memory, const Attend& attend) const {
  return inside([&] { return output(mix(x, memory, attend)); });
}

Tensor MultiHeadAttention::step(const Tensor& x, KeyValueCache& cache) const {
  return inside([&] { return output(mix(x, cache.append(project(x)), {})); });
}

}  // namespace mixtape::nn

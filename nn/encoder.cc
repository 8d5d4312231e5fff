#include "nn/encoder.h"

#include "autograd/error.h"

namespace mixtape::nn {

EncoderLayer::EncoderLayer(const BlockOptions& chosen, Random& random)
    : attention_norm(chosen.width),
      attention(chosen.attention(), random),
      attention_scale(chosen.scale()),
      feed_forward_norm(chosen.width),
      feed_forward(chosen.width, chosen.hidden(), chosen.activation, chosen.activation_dropout, random),
      feed_forward_scale(chosen.scale()),
      options(chosen) {}

Tensor EncoderLayer::forward(const Tensor& x, const Attend& attend) const {
  const Tensor y = residual(x, attention_norm, attention_scale, options, attend.queries,
                            [&](const Tensor& z) { return attention(z, attend); });
  return residual(y, feed_forward_norm, feed_forward_scale, options, attend.queries, feed_forward);
}

Tensor EncoderLayer::first(const Tensor& x, const Attend& attend) const {
  if (attend.mask.is_causal() || attend.mask.reach()) fail("encoder: first positions of a causal or windowed mask");
  return inside([&] {
    const Bounds ones = Bounds::uniform(attend.queries.sequences(), 1);
    const Tensor starts = slice(attend.queries.offsets(), 0, 0, ones.rows());
    const auto pick = [&](const Tensor& rows) { return embedding(starts, rows); };
    const Attend to_all{.queries = ones, .keys = attend.queries, .mask = attend.mask};
    const Tensor y = residual(pick(x), x, attention_norm, attention_scale, options, ones,
                              [&](const Tensor& z) { return attention(pick(z), z, to_all); });
    return residual(y, feed_forward_norm, feed_forward_scale, options, ones, feed_forward);
  });
}

Tensor EncoderLayer::step(const Tensor& x, MultiHeadAttention::KeysValues& cache) const {
  return inside([&] {
    const Tensor y = residual(x, attention_norm, attention_scale, options, {},
                              [&](const Tensor& z) { return attention.step(z, cache); });
    return residual(y, feed_forward_norm, feed_forward_scale, options, {}, feed_forward);
  });
}

Encoder::Encoder(int64_t layers, const BlockOptions& options, Random& random) {
  for (int64_t i = 0; i < layers; ++i) layer.emplace_back(options.of_layer(i, layers), random);
  if (options.pre_norm) norm.emplace(options.width);
}

Tensor Encoder::forward(const Tensor& x, const Attend& attend) const {
  Tensor y = x;
  for (const EncoderLayer& each : layer) y = each(y, attend);
  return norm ? (*norm)(y) : y;
}

Tensor Encoder::first(const Tensor& x, const Attend& attend) const {
  return inside([&] {
    Tensor y = x;
    for (size_t i = 0; i + 1 < layer.size(); ++i) y = layer[i](y, attend);
    y = layer.back().first(y, attend);
    return norm ? (*norm)(y) : y;
  });
}

Tensor Encoder::step(const Tensor& x, std::vector<MultiHeadAttention::KeysValues>& caches) const {
  return inside([&] {
    caches.resize(layer.size());
    Tensor y = x;
    for (size_t i = 0; i < layer.size(); ++i) y = layer[i].step(y, caches[i]);
    return norm ? (*norm)(y) : y;
  });
}

}  // namespace mixtape::nn

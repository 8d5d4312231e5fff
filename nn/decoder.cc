#include "nn/decoder.h"

namespace mixtape::nn {

DecoderLayer::DecoderLayer(const BlockOptions& chosen, Random& random)
    : attention_norm(chosen.width),
      attention(chosen.attention(), random),
      attention_scale(chosen.scale()),
      cross_norm(chosen.width),
      cross(chosen.attention(), random),
      cross_scale(chosen.scale()),
      feed_forward_norm(chosen.width),
      feed_forward(chosen.width, chosen.hidden(), chosen.activation, chosen.activation_dropout, random),
      feed_forward_scale(chosen.scale()),
      options(chosen) {}

Tensor DecoderLayer::forward(const Tensor& x, const Tensor& memory, const Attend& self, const Attend& across) const {
  Tensor y = residual(x, attention_norm, attention_scale, options, self.queries,
                      [&](const Tensor& z) { return attention(z, self); });
  y = residual(y, cross_norm, cross_scale, options, self.queries,
               [&](const Tensor& z) { return cross(z, memory, across); });
  return residual(y, feed_forward_norm, feed_forward_scale, options, self.queries, feed_forward);
}

Tensor DecoderLayer::step(const Tensor& x, DecoderCache& cache, const Attend& across) const {
  return inside([&] {
    Tensor y = residual(x, attention_norm, attention_scale, options, {},
                        [&](const Tensor& z) { return attention.step(z, cache.self); });
    y = residual(y, cross_norm, cross_scale, options, {},
                 [&](const Tensor& z) { return cross.attend_to(z, cache.memory, across); });
    return residual(y, feed_forward_norm, feed_forward_scale, options, {}, feed_forward);
  });
}

DecoderCache DecoderLayer::start(const Tensor& memory) const {
  return inside([&] { return DecoderCache{{}, cross.project(memory)}; });
}

Decoder::Decoder(int64_t layers, const BlockOptions& options, Random& random) {
  for (int64_t i = 0; i < layers; ++i) layer.emplace_back(options.of_layer(i, layers), random);
  if (options.pre_norm) norm.emplace(options.width);
}

Tensor Decoder::forward(const Tensor& x, const Tensor& memory, const Attend& self, const Attend& across) const {
  Tensor y = x;
  for (const DecoderLayer& each : layer) y = each(y, memory, self, across);
  return norm ? (*norm)(y) : y;
}

Tensor Decoder::step(const Tensor& x, std::vector<DecoderCache>& caches, const Attend& across) const {
  return inside([&] {
    Tensor y = x;
    for (size_t i = 0; i < layer.size(); ++i) y = layer[i].step(y, caches[i], across);
    return norm ? (*norm)(y) : y;
  });
}

std::vector<DecoderCache> Decoder::start(const Tensor& memory) const {
  return inside([&] {
    std::vector<DecoderCache> caches;
    for (const DecoderLayer& each : layer) caches.push_back(each.start(memory));
    return caches;
  });
}

}  // namespace mixtape::nn

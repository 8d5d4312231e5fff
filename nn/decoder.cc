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

template <class Self, class Cross>
Tensor DecoderLayer::sublayers(const Tensor& x, const Bounds& sequences, const Self& self_attention,
                               const Cross& cross_attention) const {
  Tensor y = residual(x, attention_norm, attention_scale, options, sequences, self_attention);
  y = residual(y, cross_norm, cross_scale, options, sequences, cross_attention);
  return residual(y, feed_forward_norm, feed_forward_scale, options, sequences, feed_forward);
}

Tensor DecoderLayer::forward(const Tensor& x, const Tensor& memory, const Attend& self, const Attend& across) const {
  return sublayers(
      x, self.queries, [&](const Tensor& z) { return attention(z, self); },
      [&](const Tensor& z) { return cross(z, memory, across); });
}

Tensor DecoderLayer::step(const Tensor& x, LayerCache& cache, const Attend& across) const {
  return inside([&] {
    return sublayers(
        x, {}, [&](const Tensor& z) { return attention.step(z, cache.self); },
        [&](const Tensor& z) { return cross.attend_to(z, cache.memory, across); });
  });
}

LayerCache DecoderLayer::start(const Tensor& memory) const {
  return inside([&] { return LayerCache{.memory = cross.project(memory)}; });
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

Tensor Decoder::step(const Tensor& x, std::vector<LayerCache>& caches, const Attend& across) const {
  return inside([&] {
    Tensor y = x;
    for (size_t i = 0; i < layer.size(); ++i) y = layer[i].step(y, caches[i], across);
    return norm ? (*norm)(y) : y;
  });
}

std::vector<LayerCache> Decoder::start(const Tensor& memory) const {
  return inside([&] {
    std::vector<LayerCache> caches;
    for (const DecoderLayer& each : layer) caches.push_back(each.start(memory));
    return caches;
  });
}

}  // namespace mixtape::nn

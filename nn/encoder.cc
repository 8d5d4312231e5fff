#include "nn/encoder.h"

#include <fmt/format.h>

#include "autograd/tensors/error.h"

namespace mixtape::nn {

Packed first_rows(const Bounds& sequences) {
  for (int64_t b = 0; b < sequences.sequences(); ++b)
    if (sequences.length(b) == 0) fail(fmt::format("first_rows: sequence {} is empty", b));
  const Bounds ones = Bounds::uniform(sequences.sequences(), 1);
  return {slice(sequences.offsets(), 0, 0, ones.rows()), ones};
}

EncoderLayer::EncoderLayer(const BlockOptions& chosen, Random& random)
    : attention_norm(chosen.width),
      attention(chosen.attention(), random),
      attention_scale(chosen.scale()),
      feed_forward_norm(chosen.width),
      feed_forward(chosen.width, chosen.hidden(), chosen.activation, chosen.activation_dropout, random),
      feed_forward_scale(chosen.scale()),
      options(chosen) {}

template <class F>
Tensor EncoderLayer::sublayers(const Tensor& x, const Bounds& sequences, const F& self_attention,
                               const Tensor& rows) const {
  const Tensor y = residual(x, attention_norm, attention_scale, options, sequences, self_attention, rows);
  return residual(y, feed_forward_norm, feed_forward_scale, options, sequences, feed_forward);
}

Tensor EncoderLayer::forward(const Tensor& x, const Attend& attend, const Packed& rows) const {
  if (!rows.values) return sublayers(x, attend.queries, [&](const Tensor& z) { return attention(z, attend); });
  if (attend.mask.is_causal() || attend.mask.reach()) fail("encoder: selected rows with a causal or windowed mask");
  const Attend to_all{.queries = rows.bounds, .keys = attend.queries, .mask = attend.mask};
  return sublayers(
      x, rows.bounds, [&](const Tensor& z) { return attention(embedding(rows.values, z), z, to_all); }, rows.values);
}

Tensor EncoderLayer::step(const Tensor& x, KeyValueCache& cache) const {
  return inside([&] { return sublayers(x, {}, [&](const Tensor& z) { return attention.step(z, cache); }); });
}

Encoder::Encoder(int64_t layers, const BlockOptions& options, Random& random) {
  for (int64_t i = 0; i < layers; ++i) layer.emplace_back(options.of_layer(i, layers), random);
  if (options.pre_norm) norm.emplace(options.width);
}

Tensor Encoder::forward(const Tensor& x, const Attend& attend, const Packed& rows) const {
  Tensor y = layer.empty() && rows.values ? embedding(rows.values, x) : x;
  for (const EncoderLayer& each : layer) y = each(y, attend, &each == &layer.back() ? rows : Packed{});
  return norm ? (*norm)(y) : y;
}

Tensor Encoder::step(const Tensor& x, std::vector<LayerCache>& caches) const {
  return inside([&] {
    Tensor y = x;
    for (size_t i = 0; i < layer.size(); ++i) y = layer[i].step(y, caches[i].self);
    return norm ? (*norm)(y) : y;
  });
}

}  // namespace mixtape::nn

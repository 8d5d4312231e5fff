#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "autograd/tensors/random.h"
#include "examples/attention_lab/study.h"

namespace mixtape::attention_lab {

/// What the lab works out about each of its presets; the small models are trained once for all tests.
inline const Study& study_of(const std::string& preset) {
  static std::map<std::string, Study> studies;
  if (!studies.contains(preset)) {
    Choice choice;
    choice.preset = preset;
    studies.emplace(preset, study(make_preset(choice)));
  }
  return studies.at(preset);
}

struct LayerSizes {
  int64_t queries, keys, heads, head_width;
  bool cross, causal;
};

/// A layer of random numbers.
inline AttentionLayer random_layer(const LayerSizes& sizes, uint64_t seed) {
  Random random(seed);
  const int64_t width = sizes.heads * sizes.head_width;
  const auto draw = [&](const Shape& shape) { return random.normal(shape, 0, 0.7, f64); };
  AttentionLayer layer;
  layer.given["X"] = draw({sizes.queries, width});
  if (sizes.cross) layer.given["memory"] = draw({sizes.keys, width});
  for (const char* name : {"Wq", "Wk", "Wv", "Wo"}) layer.given[name] = draw({width, width});
  for (const char* name : {"bq", "bk", "bv", "bo"}) layer.given[name] = draw({width});
  layer.given["G"] = draw({sizes.queries, width});
  std::vector<int32_t> seen;
  for (int64_t i = 0; i < sizes.queries; ++i)
    for (int64_t j = 0; j < sizes.keys; ++j) seen.push_back(!sizes.causal || j <= i ? 1 : 0);
  layer.mask = Tensor::from(seen, {sizes.queries, sizes.keys});
  layer.heads = sizes.heads;
  layer.scale = 1 / std::sqrt(static_cast<double>(sizes.head_width));
  return layer;
}

}  // namespace mixtape::attention_lab

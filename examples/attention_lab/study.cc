#include "examples/attention_lab/study.h"

#include <algorithm>
#include <cmath>

namespace mixtape::attention_lab {
namespace {

// A few blocks, for any length.
int64_t block_of(int64_t keys) { return std::clamp<int64_t>((keys + 3) / 4, 1, 4); }

}  // namespace

Study study(const Preset& preset) {
  const AttentionLayer& layer = preset.attention;
  Study result{.preset = preset,
               .forward = forward(layer),
               .backward = backward(layer),
               .numeric = {},
               .curve = {},
               .tape = tape_lines(layer),
               .hessian = {},
               .tiled = {}};
  result.numeric = numeric(layer, result.backward);
  result.curve = error_curve(layer, result.backward);
  result.hessian = hessian_product(layer, result.backward.at("dX"));
  result.tiled = tiled(layer, preset.head, block_of(layer.keys()), result.forward, result.backward);
  return result;
}

double largest_difference(const Tensor& analytic, const Tensor& numeric) {
  double largest = 0;
  const std::vector<double> a = analytic.values(), b = numeric.values();
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

double largest_difference(const Study& study) {
  double largest = 0;
  for (const auto& [name, gradient] : study.backward)
    largest = std::max(largest, largest_difference(gradient, study.numeric.at(name)));
  return largest;
}

}  // namespace mixtape::attention_lab

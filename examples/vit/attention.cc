#include "examples/vit/attention.h"

#include <fmt/format.h>

#include "autograd/tensors/error.h"

namespace mixtape::vit {
namespace {

using Layers = std::vector<nn::AttentionRecorder::Entry>;

// [H, T, T] of one image.
struct LayerWeights {
  int64_t heads, tokens;
  std::vector<double> values;

  double at(int64_t head, int64_t query, int64_t key) const {
    return values[static_cast<size_t>((head * tokens + query) * tokens + key)];
  }
};

std::vector<LayerWeights> weights_of(const Layers& layers, int64_t image) {
  if (layers.empty()) fail("attention: no layer was recorded");
  std::vector<LayerWeights> all;
  for (const nn::AttentionRecorder::Entry& entry : layers) {
    const Tensor& weights = entry.weights;
    if (weights.rank() != 4 || weights.size(2) != weights.size(3) || weights.size(2) != layers[0].weights.size(-1)) {
      fail(fmt::format("attention: weights {} in {}, expected [B, H, T, T] in every layer", to_string(weights.shape()),
                       entry.path));
    }
    if (image < 0 || image >= weights.size(0)) {
      fail(fmt::format("attention: image {} of a batch of {}", image, weights.size(0)));
    }
    all.push_back({weights.size(1), weights.size(2), weights.view_rows(image, image + 1).values()});
  }
  return all;
}

// The weight of each token in the input of the head: the class token only, or all tokens equally.
std::vector<double> readers(int64_t tokens, bool class_token) {
  std::vector<double> share(static_cast<size_t>(tokens), class_token ? 0.0 : 1.0 / static_cast<double>(tokens));
  if (class_token && tokens > 0) share[0] = 1;
  return share;
}

PatchWeights without_class(PatchWeights weights, bool class_token) {
  if (class_token && !weights.empty()) weights.erase(weights.begin());
  return weights;
}

// x' M, where M is `matrix` of [T, T] numbers.
template <class Matrix>
std::vector<double> row_times(const std::vector<double>& x, const Matrix& matrix) {
  std::vector<double> result(x.size(), 0.0);
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] == 0) continue;
    for (size_t j = 0; j < x.size(); ++j) result[j] += x[i] * matrix(static_cast<int64_t>(i), static_cast<int64_t>(j));
  }
  return result;
}

// M of attention_rollout, [T, T].
std::vector<double> with_residual(const LayerWeights& layer) {
  std::vector<double> mixed;
  for (int64_t query = 0; query < layer.tokens; ++query) {
    double sum = 0;
    for (int64_t key = 0; key < layer.tokens; ++key) {
      double mean = 0;
      for (int64_t head = 0; head < layer.heads; ++head) mean += layer.at(head, query, key);
      mixed.push_back((mean / static_cast<double>(layer.heads) + (query == key ? 1.0 : 0.0)) / 2);
      sum += mixed.back();
    }
    for (auto value = mixed.end() - layer.tokens; value != mixed.end(); ++value) *value /= sum;
  }
  return mixed;
}

}  // namespace

std::vector<std::vector<PatchWeights>> patch_attention(const Layers& layers, int64_t image, bool class_token) {
  std::vector<std::vector<PatchWeights>> all;
  for (const LayerWeights& layer : weights_of(layers, image)) {
    const std::vector<double> from = readers(layer.tokens, class_token);
    std::vector<PatchWeights>& heads = all.emplace_back();
    for (int64_t head = 0; head < layer.heads; ++head) {
      const auto weight = [&](int64_t query, int64_t key) { return layer.at(head, query, key); };
      heads.push_back(without_class(row_times(from, weight), class_token));
    }
  }
  return all;
}

PatchWeights attention_rollout(const Layers& layers, int64_t image, bool class_token) {
  const std::vector<LayerWeights> all = weights_of(layers, image);
  std::vector<double> reaches = readers(all[0].tokens, class_token);
  for (auto layer = all.rbegin(); layer != all.rend(); ++layer) {
    const std::vector<double> mixed = with_residual(*layer);
    const auto weight = [&](int64_t query, int64_t key) {
      return mixed[static_cast<size_t>(query * layer->tokens + key)];
    };
    reaches = row_times(reaches, weight);
  }
  return without_class(reaches, class_token);
}

}  // namespace mixtape::vit

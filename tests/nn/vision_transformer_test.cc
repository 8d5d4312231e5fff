#include "nn/vision_transformer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "autograd/tape/flops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "tests/nn/numbers.h"

using namespace mixtape;

namespace {

nn::VisionTransformer made_vit(bool all_tokens) {
  Random random(3);
  nn::VisionTransformer model({.image_height = 8,
                               .image_width = 8,
                               .channels = 2,
                               .patch = 2,
                               .classes = 3,
                               .block = {.width = 12,
                                         .heads = 2,
                                         .dropout = 0,
                                         .attention_dropout = 0,
                                         .activation = nn::Activation::gelu,
                                         .layer_scale = 0.5},
                               .layers = 3,
                               .all_tokens = all_tokens},
                              random);
  nn::to(model, f64);
  return model;
}

// The logits, then the gradients of all parameters.
std::vector<std::vector<double>> scores_and_gradients(bool all_tokens, const Tensor& images) {
  const nn::VisionTransformer model = made_vit(all_tokens);
  Tape tape;
  const Tensor scores = model(images);
  std::vector<std::vector<double>> all = {scores.values()};
  tape.backward(cross_entropy(scores, Tensor::from(std::vector<int32_t>{2, 0}, {2})));
  for (const NamedTensor& parameter : nn::parameters(model)) all.push_back(parameter.tensor.gradient().values());
  return all;
}

}  // namespace

TEST_CASE("vision_transformer: results are the same without the outputs that the class token does not need") {
  Random random(4);
  const Tensor images = random.normal({2, 8, 8, 2}, 0, 1, f64);
  const auto some = scores_and_gradients(false, images), all = scores_and_gradients(true, images);
  REQUIRE(some.size() == all.size());
  for (size_t i = 0; i < some.size(); ++i) {
    REQUIRE(some[i].size() == all[i].size());
    for (size_t k = 0; k < some[i].size(); ++k) CHECK(std::abs(some[i][k] - all[i][k]) < 1e-12);
  }
}

TEST_CASE("vision_transformer: skipping tokens saves products, and an AttentionRecorder still sees all") {
  Random random(4);
  const Tensor images = random.normal({2, 8, 8, 2}, 0, 1, f64);
  const auto flops = [&](bool all_tokens) {
    const nn::VisionTransformer model = made_vit(all_tokens);
    const FlopCounter counter;
    model(images);
    return counter.count();
  };
  CHECK(static_cast<double>(flops(false)) < 0.8 * static_cast<double>(flops(true)));
  const nn::VisionTransformer model = made_vit(false);
  const nn::AttentionRecorder recorder;
  const Tensor scores = model(images);
  REQUIRE(recorder.entries().size() == 3);
  CHECK(recorder.entries().back().weights.shape() == Shape{2, 2, 17, 17});
}

TEST_CASE("encoder: selected rows equal those of the whole result") {
  Random random(5);
  const Bounds bounds({3, 1, 4});
  const Tensor x = random.normal({8, 6}, 0, 1, f64);
  const Packed first = nn::first_rows(bounds);
  CHECK(first.values.values() == std::vector<double>{0, 3, 4});
  const Packed some{Tensor::from(std::vector<int32_t>{2, 0, 7, 4, 5}, {5}), Bounds({2, 0, 3})};
  for (const int64_t layers : {0, 1, 2}) {
    for (const bool pre_norm : {true, false}) {
      const nn::Encoder encoder(layers, {.width = 6, .heads = 2, .pre_norm = pre_norm}, random);
      nn::to(encoder, f64);
      const nn::Attend attend{.queries = bounds};
      const Tensor all = encoder(x, attend);
      for (const Packed& rows : {first, some}) {
        const Tensor wanted = encoder(x, attend, rows);
        REQUIRE(wanted.shape() == Shape{rows.bounds.rows(), 6});
        CHECK(largest_difference(wanted, embedding(rows.values, all)) < 1e-12);
      }
    }
  }
}

TEST_CASE("encoder: errors of selected rows") {
  Random random(5);
  const nn::Encoder encoder(2, {.width = 6, .heads = 2}, random);
  const Bounds bounds({3, 1, 4});
  const Tensor x = random.normal({8, 6}, 0, 1);
  for (const Mask& mask : {causal(), window(1)}) {
    CHECK_THROWS_WITH_AS(encoder(x, nn::Attend{.queries = bounds, .mask = mask}, nn::first_rows(bounds)),
                         "encoder: selected rows with a causal or windowed mask (in layer.1)", Error);
  }
  CHECK_THROWS_WITH_AS(nn::first_rows(Bounds({2, 0})), "first_rows: sequence 1 is empty", Error);
}

#include "nn/language_model.h"

#include <doctest/doctest.h>

#include "autograd/tensors/error.h"
#include "tests/nn/numbers.h"

using namespace mixtape;

namespace {

nn::LanguageModel f64_model(bool pre_norm, bool tied) {
  Random random(9);
  nn::LanguageModel model({.vocab = 10,
                           .block = {.width = 8,
                                     .heads = 2,
                                     .dropout = 0.2,
                                     .attention_dropout = 0.2,
                                     .activation = nn::Activation::gelu,
                                     .pre_norm = pre_norm},
                           .layers = 2,
                           .longest = 6,
                           .tie_embeddings = tied},
                          random);
  nn::to(model, f64);
  return model;
}

}  // namespace

TEST_CASE("language_model: a sequence gets the same logits in a batch as alone, and no token depends on the next") {
  Random random(1);
  for (const bool pre_norm : {true, false}) {
    const nn::LanguageModel model = f64_model(pre_norm, pre_norm);
    const auto sequences = random_sentences({3, 6, 1}, 0, 10, random);
    const Tensor scores = model(pack(sequences));
    REQUIRE(scores.shape() == Shape{10, 10});
    int64_t row = 0;
    for (const auto& sequence : sequences) {
      for (size_t t = 1; t <= sequence.size(); ++t) {
        const Tensor past = model(pack({{sequence.begin(), sequence.begin() + static_cast<std::ptrdiff_t>(t)}}));
        CHECK(largest_difference(past.view_rows(past.size(0) - 1, past.size(0)), scores.view_rows(row, row + 1)) <
              1e-12);
        ++row;
      }
    }
  }
}

TEST_CASE("language_model: step by step equals forward") {
  Random random(2);
  for (const bool tied : {true, false}) {
    const nn::LanguageModel model = f64_model(true, tied);
    const auto sequences = random_sentences({6, 6, 6}, 0, 10, random);
    const Tensor scores = model(pack(sequences));
    nn::Decoding decoding = model.start(3);
    for (int64_t t = 0; t < 6; ++t) {
      const auto i = static_cast<size_t>(t);
      const Tensor step = model.step(
          decoding, Tensor::from(std::vector<int32_t>{sequences[0][i], sequences[1][i], sequences[2][i]}, {3}));
      REQUIRE(step.shape() == Shape{3, 10});
      for (int64_t b = 0; b < 3; ++b)
        CHECK(largest_difference(step.view_rows(b, b + 1), scores.view_rows(b * 6 + t, b * 6 + t + 1)) < 1e-10);
    }
  }
}

TEST_CASE("language_model: a sequence longer than the model throws") {
  const nn::LanguageModel model = f64_model(true, true);
  CHECK_THROWS_WITH_AS(model(pack({std::vector<int32_t>(7, 1)})), doctest::Contains("(in positions)"), Error);
}

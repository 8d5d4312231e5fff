#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "nn/generate.h"
#include "tests/nn/numbers.h"

using namespace mixtape;

namespace {

using Tokens = std::vector<int32_t>;
constexpr int64_t kWords = 7;

nn::LanguageModel small_model(int64_t longest) {
  Random random(4);
  nn::LanguageModel model({.vocab = kWords,
                           .block = {.width = 8, .heads = 2, .activation = nn::Activation::gelu},
                           .layers = 1,
                           .longest = longest},
                          random);
  for (const NamedTensor& x : nn::parameters(model)) x.tensor.copy_from(random.normal(x.tensor.shape(), 0, 0.7));
  return model;
}

// Scores of the next token, without a cache.
Tensor next_scores(const nn::LanguageModel& model, const Tokens& tokens) {
  const Tensor scores = model(pack({tokens}));
  return scores.view_rows(scores.size(0) - 1, scores.size(0));
}

Tokens last(const Tokens& tokens, size_t count) {
  return {tokens.end() - static_cast<std::ptrdiff_t>(count), tokens.end()};
}

}  // namespace

TEST_CASE("sample: at temperature 0 it takes the most probable token") {
  const nn::LanguageModel model = small_model(16);
  Random random(1);
  Tokens expected{3, 1};
  const Tokens found = nn::sample(model, expected, random, {.tokens = 14, .temperature = 0});
  for (int i = 0; i < 14; ++i)
    expected.push_back(static_cast<int32_t>(argmax(next_scores(model, expected), -1).item()));
  CHECK(found == expected);
  CHECK(nn::sample(model, {5}, random, {.tokens = 0}) == Tokens{5});
}

TEST_CASE("sample: tokens have the frequencies of the model") {
  const nn::LanguageModel model = small_model(16);
  const Tokens prompt{2, 6, 0};
  constexpr int kDraws = 4000;
  struct Case {
    double temperature;
    int64_t top_k;
  };
  for (const Case& each : {Case{1, 0}, Case{0.6, 0}, Case{2, 3}, Case{1, 100}}) {
    CAPTURE(each.temperature);
    CAPTURE(each.top_k);
    std::vector<double> expected = softmax(next_scores(model, prompt) / each.temperature).values();
    if (each.top_k == 3) {
      const TopK best = top_k(next_scores(model, prompt) / each.temperature, 3);
      const std::vector<double> share = softmax(best.values).values();
      expected.assign(kWords, 0);
      for (size_t i = 0; i < 3; ++i) expected[static_cast<size_t>(best.indices.data<int32_t>()[i])] = share[i];
    }
    std::vector<double> counts(kWords, 0);
    Random random(7);
    for (int i = 0; i < kDraws; ++i) {
      const Tokens drawn =
          nn::sample(model, prompt, random, {.tokens = 1, .temperature = each.temperature, .top_k = each.top_k});
      counts[static_cast<size_t>(drawn.back())] += 1;
    }
    for (size_t v = 0; v < kWords; ++v) {
      const double deviation = std::sqrt(expected[v] * (1 - expected[v]) / kDraws);
      CHECK(std::abs(counts[v] / kDraws - expected[v]) <= 4 * deviation);
    }
  }
}

TEST_CASE("sample: the same random stream gives the same text") {
  const nn::LanguageModel model = small_model(8);
  Random a(5), b(5), c(6);
  const Tokens text = nn::sample(model, {1}, a, {.tokens = 40});
  CHECK(nn::sample(model, {1}, b, {.tokens = 40}) == text);
  CHECK(nn::sample(model, {1}, c, {.tokens = 40}) != text);
}

TEST_CASE("sample: text longer than the context continues from its later half") {
  for (const int64_t longest : {1, 2, 5, 6}) {
    CAPTURE(longest);
    const nn::LanguageModel model = small_model(longest);
    for (const size_t length : {1u, 4u, 9u}) {
      Tokens expected(length, 0);
      for (size_t i = 0; i < length; ++i) expected[i] = static_cast<int32_t>((3 * i + 1) % kWords);
      Random random(1);
      const Tokens found = nn::sample(model, expected, random, {.tokens = 20, .temperature = 0});
      size_t window = std::min(length, static_cast<size_t>(longest));
      for (int i = 0; i < 20; ++i) {
        const Tensor scores = next_scores(model, last(expected, window));
        expected.push_back(static_cast<int32_t>(argmax(scores, -1).item()));
        window = window == static_cast<size_t>(longest) ? static_cast<size_t>(longest + 1) / 2 : window + 1;
      }
      CHECK(found == expected);
    }
  }
}

TEST_CASE("sample: from a Transformer, up to the end token") {
  Random random(8);
  const nn::Transformer model({.vocab = kWords, .block = {.width = 8, .heads = 2}, .layers = 1, .longest = 9}, random);
  for (const NamedTensor& x : nn::parameters(model)) x.tensor.copy_from(random.normal(x.tensor.shape(), 0, 0.7));
  const Packed source = pack({{5, 4, 6}});
  Tokens expected{2};
  for (int i = 0; i < 8; ++i) {
    const Tensor scores = model(source, pack({expected}));
    expected.push_back(static_cast<int32_t>(argmax(scores.view_rows(i, i + 1), -1).item()));
  }
  const nn::Decoding start = model.start(source);
  CHECK(nn::sample(model, start, {2}, random, {.tokens = 8, .temperature = 0}) == expected);
  const int32_t end = expected[3];
  const auto length = std::find(expected.begin() + 1, expected.end(), end) - expected.begin() + 1;
  expected.resize(static_cast<size_t>(length));
  CHECK(nn::sample(model, start, {2}, random, {.tokens = 8, .temperature = 0, .end = end}) == expected);
}

TEST_CASE("sample: errors") {
  const nn::LanguageModel model = small_model(4);
  Random random(1);
  CHECK_THROWS_WITH_AS(nn::sample(model, {}, random), "sample: an empty prompt, expected at least one token", Error);
  CHECK_THROWS_WITH_AS(nn::sample(model, {1}, random, {.temperature = -1}),
                       "sample: a temperature of -1, expected at least 0", Error);
  CHECK_THROWS_AS(nn::sample(model, {7}, random), Error);
  CHECK_THROWS_WITH_AS(nn::sample(model, model.start(2), {1}, random), "sample: 2 rows, expected 1", Error);
  nn::Decoding full = model.start();
  for (int i = 0; i < 4; ++i) model.step(full, Tensor::full({1}, 1, i32));
  CHECK_THROWS_WITH_AS(nn::sample(model, full, {1}, random), "sample: the model has no position left after 4", Error);
}

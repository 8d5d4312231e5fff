#include <doctest/doctest.h>

#include "autograd/tensors/error.h"
#include "examples/vit/attention.h"

using namespace mixtape;
using vit::PatchWeights;

namespace {

// Rows of whole numbers, [2, 2, 4, 4], scaled to sum to 1.
nn::AttentionRecorder::Entry layer(std::vector<double> numbers) {
  for (size_t row = 0; row < numbers.size(); row += 4) {
    const double sum = numbers[row] + numbers[row + 1] + numbers[row + 2] + numbers[row + 3];
    for (size_t i = row; i < row + 4; ++i) numbers[i] /= sum;
  }
  return {"layer", Tensor::from(numbers, {2, 2, 4, 4}, f64)};
}

std::vector<nn::AttentionRecorder::Entry> three_layers() {
  return {layer({7, 1, 2, 2, 2, 7, 7, 5, 1, 1, 3, 4, 5, 4, 3, 2, 6, 6, 1, 1, 4, 4, 8, 5, 4, 4, 6, 5, 2, 6, 7, 8,
                 7, 3, 3, 6, 6, 6, 7, 3, 8, 1, 1, 8, 8, 3, 2, 3, 1, 8, 6, 5, 2, 4, 2, 7, 4, 1, 3, 6, 5, 3, 3, 1}),
          layer({5, 6, 5, 8, 8, 2, 5, 6, 2, 3, 4, 6, 3, 6, 6, 2, 4, 7, 7, 6, 1, 6, 2, 7, 8, 4, 8, 7, 3, 8, 4, 1,
                 5, 7, 6, 4, 8, 4, 4, 2, 2, 6, 7, 3, 6, 7, 2, 3, 5, 5, 4, 4, 2, 5, 8, 2, 7, 2, 1, 6, 2, 7, 3, 5}),
          layer({8, 8, 4, 2, 3, 7, 5, 2, 8, 8, 8, 5, 8, 5, 5, 8, 5, 7, 3, 7, 8, 1, 5, 3, 1, 1, 3, 2, 6, 2, 6, 7,
                 4, 2, 1, 3, 4, 4, 3, 7, 5, 8, 8, 6, 1, 2, 6, 5, 8, 6, 7, 1, 3, 6, 6, 3, 2, 5, 1, 6, 7, 6, 1, 5})};
}

void check_near(const PatchWeights& weights, const PatchWeights& expected) {
  REQUIRE(weights.size() == expected.size());
  for (size_t i = 0; i < weights.size(); ++i) CHECK(weights[i] == doctest::Approx(expected[i]).epsilon(1e-8));
}

}  // namespace

// The numbers below are NumPy's: a[1, head, 0, 1:], a[1, head].mean(0), and `M = m @ M` from the first layer on.

TEST_CASE("patch_attention: the class token's row, by layer and head, of the image that was asked for") {
  const auto all = vit::patch_attention(three_layers(), 1, true);
  REQUIRE(all.size() == 3);
  for (const auto& heads : all) REQUIRE(heads.size() == 2);
  check_near(all[0][0], {0.157894737, 0.157894737, 0.315789474});
  check_near(all[0][1], {0.4, 0.3, 0.25});
  check_near(all[1][0], {0.318181818, 0.272727273, 0.181818182});
  check_near(all[2][1], {0.272727273, 0.318181818, 0.045454545});
  check_near(vit::patch_attention(three_layers(), 0, true)[0][0], {1.0 / 12, 2.0 / 12, 2.0 / 12});
}

TEST_CASE("patch_attention: without a class token the mean over what attends") {
  const auto all = vit::patch_attention(three_layers(), 1, false);
  check_near(all[0][0], {0.396398192, 0.168419391, 0.164158028, 0.271024389});
  check_near(all[1][1], {0.237642974, 0.277165033, 0.232945261, 0.252246732});
  check_near(all[2][0], {0.219708995, 0.215343915, 0.247883598, 0.317063492});
}

TEST_CASE("attention_rollout: the product over the layers, the last one first") {
  check_near(vit::attention_rollout(three_layers(), 1, true), {0.218478589, 0.190997922, 0.218218198});
  check_near(vit::attention_rollout(three_layers(), 1, false), {0.276938939, 0.244783325, 0.217116098, 0.261161638});
}

TEST_CASE("attention_rollout: rows that do not sum to 1 are scaled") {
  const Tensor half = Tensor::from(std::vector<double>{0.2, 0.2, 0, 0.4}, {1, 1, 2, 2}, f64);
  check_near(vit::attention_rollout({{"layer", half}}, 0, true), {0.1 / 0.7});
}

TEST_CASE("attention: what is no vision transformer's") {
  CHECK_THROWS_WITH_AS(vit::attention_rollout({}, 0, true), "attention: no layer was recorded", Error);
  CHECK_THROWS_WITH_AS(vit::patch_attention(three_layers(), 2, true), "attention: image 2 of a batch of 2", Error);
  CHECK_THROWS_AS(vit::patch_attention(three_layers(), -1, true), Error);
  CHECK_THROWS_WITH_AS(vit::patch_attention({{"cross", Tensor::zeros({1, 1, 2, 3})}}, 0, true),
                       "attention: weights [1, 1, 2, 3] in cross, expected [B, H, T, T] in every layer", Error);
  CHECK_THROWS_AS(
      vit::patch_attention({{"a", Tensor::zeros({1, 1, 2, 2})}, {"b", Tensor::zeros({1, 1, 3, 3})}}, 0, true), Error);
}

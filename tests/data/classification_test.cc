#include "data/classification.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"

using namespace mixtape;
using data::Classification;

namespace {

Tensor labels_of(std::initializer_list<int32_t> labels) {
  return Tensor::from(std::vector<int32_t>(labels), {static_cast<int64_t>(labels.size())});
}

}  // namespace

TEST_CASE("Classification: accuracy, top k and confusion over two batches") {
  Classification scores(3);
  CHECK(std::isnan(scores.accuracy()));
  CHECK(std::isnan(scores.loss()));
  CHECK(std::isnan(scores.calibration_error()));
  scores.add(Tensor::from(std::vector<double>{3, 1, 2, 0, 5, 1}, {2, 3}), labels_of({0, 2}));
  scores.add(Tensor::from(std::vector<double>{1, 2, 9, 7, 8, 6}, {2, 3}), labels_of({0, 1}));
  CHECK(scores.count() == 4);
  CHECK(scores.accuracy() == 0.5);
  CHECK(scores.top_k(2) == 0.75);
  CHECK(scores.top_k(3) == 1);
  CHECK(scores.confusion() == std::vector<int64_t>{1, 0, 1, 0, 1, 0, 0, 1, 0});
  CHECK(scores.outcomes()[2].predicted == 2);
  CHECK(scores.outcomes()[2].rank == 2);
}

TEST_CASE("Classification: of equal logits the first counts") {
  Classification scores(3);
  scores.add(Tensor::zeros({3, 3}), labels_of({0, 1, 2}));
  CHECK(scores.accuracy() == doctest::Approx(1.0 / 3));
  CHECK(scores.top_k(2) == doctest::Approx(2.0 / 3));
}

TEST_CASE("Classification: the loss is cross_entropy's") {
  Random random(1);
  const Tensor logits = random.normal({50, 7}, 0, 3), labels = labels_of({3, 1, 4, 1, 5});
  Classification scores(7);
  scores.add(slice(logits, 0, 0, 5), labels);
  CHECK(scores.loss() == doctest::Approx(cross_entropy(slice(logits, 0, 0, 5), labels).item()).epsilon(1e-5));
}

TEST_CASE("Classification: calibration error of confidences that are right, and of some that are not") {
  // Two classes with probability 0.75: three of four right is perfect calibration, none right is 0.75 off.
  const double margin = std::log(3.0);
  const Tensor logits = Tensor::from(std::vector<double>{margin, 0, margin, 0, margin, 0, margin, 0}, {4, 2}, f64);
  Classification calibrated(2), wrong(2);
  calibrated.add(logits, labels_of({0, 0, 1, 0}));
  wrong.add(logits, labels_of({1, 1, 1, 1}));
  CHECK(calibrated.calibration_error() == doctest::Approx(0).epsilon(1e-6));
  CHECK(wrong.calibration_error() == doctest::Approx(0.75).epsilon(1e-6));
}

TEST_CASE("Classification: what it refuses") {
  Classification scores(3);
  CHECK_THROWS_AS(Classification(0), Error);
  CHECK_THROWS_AS(scores.add(Tensor::zeros({2, 4}), labels_of({0, 0})), Error);
  CHECK_THROWS_AS(scores.add(Tensor::zeros({2, 3}), labels_of({0})), Error);
  CHECK_THROWS_AS(scores.add(Tensor::zeros({2, 3}), Tensor::zeros({2})), Error);
  CHECK_THROWS_WITH_AS(scores.add(Tensor::zeros({2, 3}), labels_of({0, 3})),
                       "classification: label 3 of example 1, expected 0 to 2", Error);
  CHECK_THROWS_AS(scores.top_k(4), Error);
  CHECK_THROWS_AS(scores.calibration_error(0), Error);
  CHECK(scores.count() == 0);
}

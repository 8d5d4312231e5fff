#include "data/digits.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "data/classification.h"
#include "data/digit_shapes.h"
#include "optim/adam.h"

using namespace mixtape;
using namespace mixtape::data;

namespace {

constexpr int64_t kPixels = 28 * 28;

// Pixels 0 to 1 of images [first, first + count).
Tensor pixels_of(const ImageSet& set, int64_t first, int64_t count) {
  Tensor x = Tensor::uninitialized({count, kPixels});
  const uint8_t* from = set.image(first).data();
  std::transform(from, from + count * kPixels, x.mutable_data<float>(),
                 [](uint8_t value) { return static_cast<float>(value) / 255; });
  return x;
}

Tensor labels_of(const ImageSet& set, int64_t first, int64_t count) {
  return Tensor::from(std::vector<int32_t>(set.labels.begin() + first, set.labels.begin() + first + count), {count});
}

std::set<std::vector<uint8_t>> pictures(const ImageSet& set) {
  std::set<std::vector<uint8_t>> all;
  for (int64_t i = 0; i < set.size(); ++i) all.emplace(set.image(i).begin(), set.image(i).end());
  return all;
}

}  // namespace

TEST_CASE("digits: a linear softmax does not reach 92 %") {
  const ImageSet train = draw_digits(10000, 1), test = draw_digits(5000, 2);
  const Tensor weight = Tensor::zeros({10, kPixels}).as_parameter(), bias = Tensor::zeros({10}).as_parameter();
  optim::Adam optimizer({{"weight", weight}, {"bias", bias}}, {.learning_rate = 2e-3});
  constexpr int64_t kBatch = 100, kEpochs = 12;
  for (int64_t epoch = 0; epoch < kEpochs; ++epoch) {
    for (int64_t first = 0; first < train.size(); first += kBatch) {
      Tape tape;
      const Tensor logits = linear(pixels_of(train, first, kBatch), weight, bias);
      tape.backward(cross_entropy(logits, labels_of(train, first, kBatch)));
      optimizer.step();
    }
  }
  Classification result(10);
  result.add(linear(pixels_of(test, 0, test.size()), weight, bias), labels_of(test, 0, test.size()));
  MESSAGE(fmt::format("accuracy of a linear softmax on drawn digits: {:.1f} %", 100 * result.accuracy()));
  CHECK(result.accuracy() < 0.92);
  CHECK(result.accuracy() > 0.7);  // it did learn
}

TEST_CASE("digits: a picture is a function of the seed and its number") {
  const ImageSet set = draw_digits(300, 5);
  CHECK(draw_digits(300, 5).pixels == set.pixels);
  const ImageSet fewer = draw_digits(100, 5);
  CHECK(std::equal(fewer.pixels.begin(), fewer.pixels.end(), set.pixels.begin()));
  std::set<std::vector<uint8_t>> both = pictures(set);
  CHECK(both.size() == 300);
  both.merge(pictures(draw_digits(300, 6)));
  CHECK(both.size() == 600);
}

TEST_CASE("digits: two parts of the promised size, no picture in both, labels balanced") {
  const ImageSet train = read_digits("train"), test = read_digits("test");
  CHECK(train.size() == 60000);
  CHECK(test.size() == 10000);
  for (const ImageSet* set : {&train, &test}) {
    CHECK(set->height == 28);
    CHECK(set->width == 28);
    CHECK(set->channels == 1);
    CHECK(set->pixels.size() == static_cast<size_t>(set->size() * kPixels));
    CHECK(set->classes == std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
    for (int32_t digit = 0; digit < 10; ++digit) {
      CHECK(std::count(set->labels.begin(), set->labels.end(), digit) == set->size() / 10);
    }
  }
  const std::set<std::vector<uint8_t>> seen = pictures(train);
  CHECK(seen.size() == 60000);
  for (const auto& picture : pictures(test)) CHECK_FALSE(seen.contains(picture));
  CHECK(read_digits("test", 2).pixels != test.pixels);
  CHECK_THROWS_WITH_AS(read_digits("valid"), "digits: there is no part valid; there are train and test", Error);
  CHECK_THROWS_AS(draw_digits(-1, 0), Error);
}

TEST_CASE("digits: white on black, within the picture") {
  const ImageSet set = draw_digits(1000, 3);
  for (int64_t i = 0; i < set.size(); ++i) {
    const auto image = set.image(i);
    const auto bright = std::count_if(image.begin(), image.end(), [](uint8_t value) { return value > 100; });
    CHECK(bright > 15);
    CHECK(bright < 300);
    CHECK(std::max({image[0], image[27], image[27 * 28], image[27 * 28 + 27]}) < 40);  // the corners
  }
}

TEST_CASE("digits: a flattened stroke passes its points, straight between two and without a kink where it closes") {
  const Stroke line = flatten({{0, 0}, {4, 8}}, 4);
  REQUIRE(line.size() == 5);
  CHECK(line[1].y == doctest::Approx(2 * line[1].x));
  CHECK(line[3].y == doctest::Approx(2 * line[3].x));

  const Stroke corner = flatten({{0, 0}, {6, 0}, {6, 0}, {6, 9}}, 3);
  REQUIRE(corner.size() == 7);
  for (size_t i = 0; i <= 3; ++i) CHECK(corner[i].y == doctest::Approx(0));
  for (size_t i = 3; i <= 6; ++i) CHECK(corner[i].x == doctest::Approx(6));

  const Stroke ring = flatten({{0, -1}, {1, 0}, {0, 1}, {-1, 0}, {0, -1}}, 8);
  REQUIRE(ring.size() == 33);
  for (size_t i = 0; i + 1 < ring.size(); ++i) {  // a quarter turn maps it on itself
    const StrokePoint &here = ring[i], &there = ring[(i + 8) % 32];
    CHECK(there.x == doctest::Approx(-here.y));
    CHECK(there.y == doctest::Approx(here.x));
  }
}

#include "data/augment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <vector>

#include "autograd/tensors/error.h"

using namespace mixtape;
using namespace mixtape::data;

namespace {

using Pixels = std::vector<uint8_t>;

constexpr int64_t kSize = 16, kChannels = 3;

// No value is 0, no two pixels beside each other are equal.
Pixels picture() {
  Pixels pixels(kSize * kSize * kChannels);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(1 + (i * 37) % 251);
  return pixels;
}

ImageView view(Pixels& pixels) { return {pixels, kSize, kSize, kChannels}; }

Pixels augmented(const AugmentOptions& options, uint64_t seed, Pixels pixels = picture()) {
  Random random(seed);
  augment(view(pixels), options, random);
  return pixels;
}

}  // namespace

TEST_CASE("augment: nothing by default") { CHECK(augmented({}, 1) == picture()); }

TEST_CASE("augment: a function of the stream") {
  const AugmentOptions options{.crop_padding = 3, .flip = true, .rand_augment = {2, 9}, .erasing = 0.5};
  std::set<Pixels> seen;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    CHECK(augmented(options, seed) == augmented(options, seed));
    seen.insert(augmented(options, seed));
  }
  CHECK(seen.size() > 45);
}

TEST_CASE("augment: a crop is a shift by at most the padding, each as often") {
  std::set<Pixels> shifts;
  for (int64_t right = -2; right <= 2; ++right) {
    for (int64_t down = -2; down <= 2; ++down) {
      Pixels pixels = picture();
      translate(view(pixels), right, down);
      shifts.insert(pixels);
    }
  }
  REQUIRE(shifts.size() == 25);
  std::multiset<Pixels> seen;
  for (uint64_t seed = 0; seed < 1000; ++seed) seen.insert(augmented({.crop_padding = 2}, seed));
  for (const Pixels& shift : shifts) {
    CHECK(seen.count(shift) > 15);
    seen.erase(shift);
  }
  CHECK(seen.empty());
}

TEST_CASE("augment: half of the pictures are flipped") {
  Pixels flipped = picture();
  flip(view(flipped));
  int count = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const Pixels pixels = augmented({.flip = true}, seed);
    count += pixels == flipped;
    CHECK((pixels == flipped || pixels == picture()));
  }
  CHECK(count > 440);
  CHECK(count < 560);
}

TEST_CASE("augment: RandAugment is stronger with the magnitude, and at 0 changes values only by tables") {
  const auto changed = [](double magnitude) {
    int64_t sum = 0;
    for (uint64_t seed = 0; seed < 400; ++seed) {
      const Pixels before = picture(), after = augmented({.rand_augment = {1, magnitude}}, seed);
      for (size_t i = 0; i < before.size(); ++i) sum += std::abs(before[i] - after[i]);
    }
    return static_cast<double>(sum);
  };
  const double none = changed(0), weak = changed(3), strong = changed(10);
  CHECK(weak > 1.5 * none);
  CHECK(strong > 1.5 * weak);

  Pixels stretched = picture(), equalized = picture();
  auto_contrast(view(stretched));
  equalize(view(equalized));
  std::set<Pixels> seen;
  for (uint64_t seed = 0; seed < 400; ++seed) seen.insert(augmented({.rand_augment = {1, 0}}, seed));
  CHECK(seen == std::set<Pixels>{picture(), stretched, equalized});
}

TEST_CASE("augment: each operation of RandAugment is drawn") {
  const std::vector<void (*)(ImageView)> operations = {
      [](ImageView) {},
      auto_contrast,
      equalize,
      [](ImageView image) { rotate(image, 15); },
      [](ImageView image) { shear_x(image, -0.15); },
      [](ImageView image) { shear_y(image, 0.15); },
      [](ImageView image) { translate(image, 4, 0); },
      [](ImageView image) { translate(image, 0, -4); },
      [](ImageView image) { brightness(image, 1.45); },
      [](ImageView image) { contrast(image, 0.55); },
      [](ImageView image) { sharpness(image, 1.45); },
      [](ImageView image) { posterize(image, 6); },
      [](ImageView image) { solarize(image, 128); },
  };
  std::set<Pixels> seen;
  for (uint64_t seed = 0; seed < 500; ++seed) seen.insert(augmented({.rand_augment = {1, 5}}, seed));
  for (size_t i = 0; i < operations.size(); ++i) {
    CAPTURE(i);
    Pixels pixels = picture();
    operations[i](view(pixels));
    CHECK(seen.contains(pixels));
  }
}

TEST_CASE("augment: erasing fills one rectangle of 2 to 33 % with noise") {
  int count = 0;
  std::set<int64_t> areas;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const Pixels before(kSize * kSize * kChannels, 0), after = augmented({.erasing = 0.5}, seed, before);
    if (after == before) continue;
    ++count;
    int64_t top = kSize, bottom = -1, left = kSize, right = -1, painted = 0;
    for (int64_t i = 0; i < kSize * kSize; ++i) {
      const auto pixel = after.begin() + i * kChannels;
      if (std::all_of(pixel, pixel + kChannels, [](uint8_t value) { return value == 0; })) continue;
      ++painted;
      top = std::min(top, i / kSize), bottom = std::max(bottom, i / kSize);
      left = std::min(left, i % kSize), right = std::max(right, i % kSize);
    }
    const int64_t area = (bottom - top + 1) * (right - left + 1);
    CHECK(painted == area);
    CHECK(area >= 0.01 * kSize * kSize);  // sides are rounded
    CHECK(area <= 0.37 * kSize * kSize);
    areas.insert(area);
  }
  CHECK(count > 150);
  CHECK(count < 250);
  CHECK(areas.size() > 20);
}

TEST_CASE("augment: options out of range are refused") {
  check(AugmentOptions{.crop_padding = 4, .flip = true, .rand_augment = {2, 10}, .erasing = 1});
  for (const AugmentOptions& options :
       {AugmentOptions{.crop_padding = -1}, AugmentOptions{.rand_augment = {-1, 5}},
        AugmentOptions{.rand_augment = {1, 11}}, AugmentOptions{.erasing = 1.5}, AugmentOptions{.erasing = -0.1}}) {
    CHECK_THROWS_AS(check(options), Error);
  }
}

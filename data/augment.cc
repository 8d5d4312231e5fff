#include "data/augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/tensors/error.h"

namespace mixtape::data {
namespace {

void crop(ImageView image, int64_t padding, Random& random) {
  const int64_t right = random.below(2 * padding + 1) - padding;
  const int64_t down = random.below(2 * padding + 1) - padding;
  translate(image, right, down);
}

void fill_with_noise(ImageView image, int64_t top, int64_t left, int64_t height, int64_t width, Random& random) {
  for (int64_t row = top; row < top + height; ++row) {
    uint8_t* pixels = image.pixels.data() + (row * image.width + left) * image.channels;
    for (int64_t i = 0; i < width * image.channels; ++i) pixels[i] = static_cast<uint8_t>(random.bits() >> 24);
  }
}

void erase(ImageView image, Random& random) {
  constexpr int kTries = 100;  // a rectangle may not fit
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const double area = random.uniform(0.02, 0.33) * static_cast<double>(image.height * image.width);
    const double aspect = std::exp(random.uniform(std::log(0.3), std::log(1 / 0.3)));
    const auto height = static_cast<int64_t>(std::lround(std::sqrt(area * aspect)));
    const auto width = static_cast<int64_t>(std::lround(std::sqrt(area / aspect)));
    if (height > image.height || width > image.width) continue;
    const int64_t top = random.below(image.height - height + 1), left = random.below(image.width - width + 1);
    return fill_with_noise(image, top, left, height, width, random);
  }
}

}  // namespace

void check(const AugmentOptions& options) {
  const auto refuse = [](const char* what, auto value, const char* range) {
    fail(fmt::format("augment: {} {}, expected {}", what, value, range));
  };
  const RandAugment& rand = options.rand_augment;
  if (options.crop_padding < 0) refuse("crop_padding", options.crop_padding, "at least 0");
  if (rand.operations < 0) refuse("operations of RandAugment", rand.operations, "at least 0");
  if (!(rand.magnitude >= 0 && rand.magnitude <= 10)) refuse("magnitude of RandAugment", rand.magnitude, "0 to 10");
  if (!(options.erasing >= 0 && options.erasing <= 1)) refuse("erasing", options.erasing, "0 to 1");
}

void rand_augment_operation(ImageView image, double magnitude, Random& random) {
  const double share = magnitude / 10;
  const double signed_share = random.below(2) == 0 ? share : -share;
  const auto part_of = [&](int64_t size) { return std::lround(0.45 * signed_share * static_cast<double>(size)); };
  switch (random.below(13)) {
    case 0:
      return;
    case 1:
      return auto_contrast(image);
    case 2:
      return equalize(image);
    case 3:
      return rotate(image, 30 * signed_share);
    case 4:
      return shear_x(image, 0.3 * signed_share);
    case 5:
      return shear_y(image, 0.3 * signed_share);
    case 6:
      return translate(image, part_of(image.width), 0);
    case 7:
      return translate(image, 0, part_of(image.height));
    case 8:
      return brightness(image, 1 + 0.9 * signed_share);
    case 9:
      return contrast(image, 1 + 0.9 * signed_share);
    case 10:
      return sharpness(image, 1 + 0.9 * signed_share);
    case 11:
      return posterize(image, static_cast<int>(std::lround(8 - 4 * share)));
    default:
      return solarize(image, static_cast<int>(std::lround(256 - 256 * share)));
  }
}

void augment(ImageView image, const AugmentOptions& options, Random& random) {
  if (options.crop_padding > 0) crop(image, options.crop_padding, random);
  if (options.flip && random.below(2) == 0) flip(image);
  for (int i = 0; i < options.rand_augment.operations; ++i) {
    rand_augment_operation(image, options.rand_augment.magnitude, random);
  }
  if (options.erasing > 0 && random.uniform() < options.erasing) erase(image, random);
}

}  // namespace mixtape::data

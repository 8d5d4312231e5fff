#include "data/image_operations.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "autograd/files/file.h"

using namespace mixtape;
using namespace mixtape::data;

namespace {

constexpr int64_t kWidth = 25, kHeight = 22;

struct Picture {
  std::vector<uint8_t> pixels;
  int64_t height = 0, width = 0, channels = 0;

  ImageView view() { return {pixels, height, width, channels}; }
};

// Written by tests/golden/make_pillow_operations.py.
Picture golden_picture(const std::string& name, int64_t channels) {
  const std::string file =
      read_file(fmt::format("{}/pillow_operations/{}.{}", MIXTAPE_GOLDEN_DIR, name, channels == 3 ? "ppm" : "pgm"));
  const auto size = static_cast<size_t>(kWidth * kHeight * channels);
  REQUIRE(file.size() > size);
  return {{file.end() - static_cast<std::ptrdiff_t>(size), file.end()}, kHeight, kWidth, channels};
}

struct OperationCase {
  const char* name;
  std::function<void(ImageView)> apply;
};

const std::vector<OperationCase> kCases = {
    {"flip", flip},
    {"translate_3_-2", [](ImageView image) { translate(image, 3, -2); }},
    {"rotate_17", [](ImageView image) { rotate(image, 17); }},
    {"rotate_-25", [](ImageView image) { rotate(image, -25); }},
    {"shear_x_0.3", [](ImageView image) { shear_x(image, 0.3); }},
    {"shear_y_-0.2", [](ImageView image) { shear_y(image, -0.2); }},
    {"brightness_0.4", [](ImageView image) { brightness(image, 0.4); }},
    {"brightness_1.7", [](ImageView image) { brightness(image, 1.7); }},
    {"contrast_0.3", [](ImageView image) { contrast(image, 0.3); }},
    {"contrast_1.8", [](ImageView image) { contrast(image, 1.8); }},
    {"sharpness_0.2", [](ImageView image) { sharpness(image, 0.2); }},
    {"sharpness_1.9", [](ImageView image) { sharpness(image, 1.9); }},
    {"posterize_3", [](ImageView image) { posterize(image, 3); }},
    {"solarize_100", [](ImageView image) { solarize(image, 100); }},
    {"auto_contrast", auto_contrast},
    {"equalize", equalize},
};

}  // namespace

TEST_CASE("image_operations: as Pillow's, in colour and in grey") {
  for (const int64_t channels : {3, 1}) {
    const Picture original = golden_picture("original", channels);
    for (const OperationCase& test : kCases) {
      CAPTURE(test.name);
      CAPTURE(channels);
      Picture picture = original;
      test.apply(picture.view());
      CHECK(picture.pixels != original.pixels);
      const Picture expected = golden_picture(test.name, channels);
      int largest = 0;
      for (size_t i = 0; i < expected.pixels.size(); ++i) {
        largest = std::max(largest, std::abs(picture.pixels[i] - expected.pixels[i]));
      }
      CHECK(largest <= 1);
    }
  }
}

TEST_CASE("image_operations: what should change nothing does not") {
  const Picture original = golden_picture("original", 3);
  const std::vector<OperationCase> cases = {
      {"translate", [](ImageView image) { translate(image, 0, 0); }},
      {"rotate", [](ImageView image) { rotate(image, 0); }},
      {"shear_x", [](ImageView image) { shear_x(image, 0); }},
      {"shear_y", [](ImageView image) { shear_y(image, 0); }},
      {"brightness", [](ImageView image) { brightness(image, 1); }},
      {"contrast", [](ImageView image) { contrast(image, 1); }},
      {"sharpness", [](ImageView image) { sharpness(image, 1); }},
      {"posterize", [](ImageView image) { posterize(image, 8); }},
      {"solarize", [](ImageView image) { solarize(image, 256); }},
      {"flip twice", [](ImageView image) { flip(image), flip(image); }},
  };
  for (const OperationCase& test : cases) {
    CAPTURE(test.name);
    Picture picture = original;
    test.apply(picture.view());
    CHECK(picture.pixels == original.pixels);
  }
}

TEST_CASE("image_operations: moved out of sight, a picture is black") {
  for (const auto& [right, down] : {std::pair{25, 0}, {-25, 0}, {0, 22}, {0, -22}, {1000, -1000}}) {
    Picture picture = golden_picture("original", 3);
    translate(picture.view(), right, down);
    CHECK(picture.pixels == std::vector<uint8_t>(picture.pixels.size(), 0));
  }
}

TEST_CASE("image_operations: pictures of one pixel or one value") {
  for (const OperationCase& test : kCases) {
    CAPTURE(test.name);
    Picture pixel{{200, 100, 50}, 1, 1, 3}, row{std::vector<uint8_t>(14, 77), 1, 7, 2};
    test.apply(pixel.view());
    test.apply(row.view());
    CHECK(pixel.pixels.size() == 3);
    CHECK(row.pixels.size() == 14);
  }
  Picture flat{std::vector<uint8_t>(600, 77), 20, 30, 1};
  equalize(flat.view());
  auto_contrast(flat.view());
  sharpness(flat.view(), 1.5);
  contrast(flat.view(), 0.1);
  CHECK(flat.pixels == std::vector<uint8_t>(600, 77));
}

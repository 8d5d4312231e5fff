#include "data/image_file.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using data::Image;
using tests::TemporaryFolder;

namespace {

const std::string kPillow = MIXTAPE_GOLDEN_DIR "/pillow/";

/// A PPM file as Pillow writes it: `P6`, width and height, 255, each ended by a line break, then RGB.
Image read_ppm(const std::string& path) {
  const std::string bytes = read_file(path);
  int width = 0, height = 0, start = 0;
  REQUIRE(std::sscanf(bytes.c_str(), "P6 %d %d 255%n", &width, &height, &start) == 2);
  Image image{.height = height, .width = width, .channels = 3, .pixels = {bytes.begin() + start + 1, bytes.end()}};
  REQUIRE(static_cast<int64_t>(image.pixels.size()) == image.height * image.width * 3);
  return image;
}

/// The luma of each pixel, rounded.
Image grey_of(const Image& image) {
  Image grey{.height = image.height, .width = image.width, .channels = 1, .pixels = {}};
  for (size_t i = 0; i < image.pixels.size(); i += 3) {
    const double luma = 0.299 * image.pixels[i] + 0.587 * image.pixels[i + 1] + 0.114 * image.pixels[i + 2];
    grey.pixels.push_back(static_cast<uint8_t>(luma + 0.5));
  }
  return grey;
}

int largest_difference(const Image& a, const Image& b) {
  REQUIRE(a.height == b.height);
  REQUIRE(a.width == b.width);
  REQUIRE(a.channels == b.channels);
  REQUIRE(a.pixels.size() == b.pixels.size());
  int largest = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  return largest;
}

Image grey(int64_t height, int64_t width, std::vector<uint8_t> pixels) {
  return {.height = height, .width = width, .channels = 1, .pixels = std::move(pixels)};
}

/// Pixels without a pattern.
Image speckled(int64_t height, int64_t width, int64_t channels) {
  Image image{.height = height, .width = width, .channels = channels, .pixels = {}};
  uint32_t state = 1;
  for (int64_t i = 0; i < height * width * channels; ++i) {
    state = state * 1664525 + 1013904223;
    image.pixels.push_back(static_cast<uint8_t>(state >> 24));
  }
  return image;
}

}  // namespace

TEST_CASE("image_file: pictures of every kind are read as Pillow reads them") {
  struct Row {
    const char* name;
    int tolerance;  // JPEG and transparency may be rounded differently
  };
  const std::vector<Row> rows = {
      {"rgb.png", 0},       {"grey.png", 0},        {"bit.png", 0},        {"palette.png", 0},
      {"grey16.png", 0},    {"rgb16.png", 0},       {"interlaced.png", 0}, {"palette-transparent.png", 0},
      {"rgb-alpha.png", 1}, {"grey-alpha.png", 1},  {"rgb.jpg", 2},        {"rgb-444.jpg", 2},
      {"grey.jpg", 2},      {"progressive.jpg", 2}, {"restarts.jpg", 2},   {"cmyk.jpg", 2},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Image expected = read_ppm(kPillow + row.name + ".ppm");
    CHECK(largest_difference(data::read_image(kPillow + row.name, 3), expected) <= row.tolerance);
    CHECK(largest_difference(data::read_image(kPillow + row.name, 1), grey_of(expected)) <= row.tolerance);
  }
}

TEST_CASE("image_file: the fixtures are all in the table above") {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kPillow)) {
    if (entry.path().extension() != ".ppm") names.insert(entry.path().filename().string());
  }
  CHECK(names.size() == 16);
}

TEST_CASE("image_file: to_png and back") {
  const TemporaryFolder folder;
  for (const auto& [height, width, channels] : std::vector<std::array<int64_t, 3>>{{1, 1, 1}, {7, 3, 3}, {40, 50, 1}}) {
    const Image image = speckled(height, width, channels);
    const Image again = data::read_image(folder.write("a.png", data::to_png(image)), channels);
    CHECK(largest_difference(again, image) == 0);
  }
  CHECK_THROWS_WITH_AS(data::to_png(grey(2, 2, {1, 2, 3})),
                       "to_png: [2, 2, 1] and 3 bytes, expected a picture with 1 or 3 channels", Error);
  CHECK_THROWS_AS(data::to_png({}), Error);
  CHECK_THROWS_WITH_AS(data::read_image("a.png", 4), "read_image: 4 channels, expected 1 or 3", Error);
}

TEST_CASE("image_file: what is transparent lies over white") {
  const Image image = data::read_image(kPillow + "rgb-alpha.png", 3);
  CHECK(image.pixels[0] == 255);  // the leftmost column is all transparent
  CHECK(image.pixels[1] == 255);
  CHECK(image.pixels[2] == 255);
}

TEST_CASE("resize: shrinking averages areas") {
  CHECK(data::resize(grey(2, 2, {0, 100, 200, 101}), 1, 1).pixels == std::vector<uint8_t>{100});
  // Each of two pixels covers one and a half: (2 * 30 + 60) / 3 and (60 + 2 * 90) / 3.
  CHECK(data::resize(grey(1, 3, {30, 60, 90}), 1, 2).pixels == std::vector<uint8_t>{40, 80});
  CHECK(data::resize(grey(3, 1, {30, 60, 90}), 2, 1).pixels == std::vector<uint8_t>{40, 80});
}

TEST_CASE("resize: growing interpolates between the centres") {
  // Centres at 0.25 and 0.75 of a pixel: the outer ones are beyond the last centre.
  CHECK(data::resize(grey(1, 2, {0, 100}), 1, 4).pixels == std::vector<uint8_t>{0, 25, 75, 100});
  CHECK(data::resize(grey(1, 1, {77}), 2, 3).pixels == std::vector<uint8_t>(6, 77));
}

TEST_CASE("resize: channels stay apart, flat pictures stay flat, and one size is left alone") {
  const Image image = speckled(9, 11, 3);
  CHECK(data::resize(image, 9, 11).pixels == image.pixels);
  const Image resized = data::resize(image, 5, 17);
  for (size_t channel = 0; channel < 3; ++channel) {
    Image plane = grey(9, 11, {});
    for (size_t i = channel; i < image.pixels.size(); i += 3) plane.pixels.push_back(image.pixels[i]);
    const Image resized_plane = data::resize(plane, 5, 17);
    for (size_t i = 0; i < resized_plane.pixels.size(); ++i) {
      CHECK(resized.pixels[3 * i + channel] == resized_plane.pixels[i]);
    }
  }
  for (const int64_t size : {1, 2, 5, 7, 30, 101}) {
    const Image flat = data::resize(grey(7, 30, std::vector<uint8_t>(210, 255)), size, size);
    CHECK(flat.pixels == std::vector<uint8_t>(static_cast<size_t>(size * size), 255));
  }
  CHECK_THROWS_AS(data::resize(image, 0, 4), Error);
  CHECK_THROWS_AS(data::resize({}, 4, 4), Error);
}

TEST_CASE("fit: the middle of the picture in the wanted shape") {
  CHECK(data::fit(grey(1, 5, {1, 2, 3, 4, 5}), 1, 1).pixels == std::vector<uint8_t>{3});
  CHECK(data::fit(grey(4, 2, {9, 9, 1, 2, 3, 4, 9, 9}), 2, 2).pixels == std::vector<uint8_t>{1, 2, 3, 4});
  CHECK(data::fit(grey(2, 4, {9, 1, 2, 9, 9, 3, 4, 9}), 2, 2).pixels == std::vector<uint8_t>{1, 2, 3, 4});
  const Image thin = data::fit(speckled(300, 1, 3), 8, 6);
  CHECK(thin.pixels.size() == 8 * 6 * 3);
  CHECK_THROWS_AS(data::fit(thin, 1, -1), Error);
}

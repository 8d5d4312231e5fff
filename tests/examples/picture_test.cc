#include "examples/common/picture.h"

#include <doctest/doctest.h>

#include <limits>

#include "autograd/tensors/error.h"
#include "data/image_file.h"
#include "tests/temporary_folder.h"
#include "tests/text.h"

using namespace mixtape;
using namespace mixtape::tests;
using namespace mixtape::examples;

namespace {

// The other way round, by search.
std::string from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(digits.find(c));
    if ((count += 6) >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 255);
  }
  return bytes;
}

data::Image read_back(const std::string& markup, int64_t channels) {
  const std::string start = "src=\"data:image/png;base64,";
  const size_t at = markup.find(start) + start.size();
  const tests::TemporaryFolder folder;
  return data::read_image(folder.write("it.png", from_base64(markup.substr(at, markup.find('"', at) - at))), channels);
}

data::Image ramp(int64_t height, int64_t width, int64_t channels) {
  data::Image image = {height, width, channels, {}};
  for (int64_t i = 0; i < height * width * channels; ++i) image.pixels.push_back(static_cast<uint8_t>(i * 37 % 256));
  return image;
}

}  // namespace

TEST_CASE("base64: the vectors of RFC 4648, and all bytes") {
  const std::vector<std::pair<std::string, std::string>> known = {{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"},
                                                                  {std::string("\0\xff\xfe", 3), "AP/+"}};
  for (const auto& [bytes, text] : known) CHECK(base64(bytes) == text);
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(from_base64(base64(all)) == all);
}

TEST_CASE("picture: the PNG in the page has the pixels") {
  for (const int64_t channels : {1, 3}) {
    const data::Image image = ramp(5, 7, channels);
    const std::string html = picture(image, "a ramp", 4).markup;
    const data::Image again = read_back(html, channels);
    CHECK(again.height == 5);
    CHECK(again.width == 7);
    CHECK(again.pixels == image.pixels);
    CHECK(contains(html, "<img width=\"28\" height=\"20\" alt=\"a ramp\" src="));
    CHECK(contains(html, "<figcaption>a ramp</figcaption>"));
  }
}

TEST_CASE("picture: captions are escaped, as text and as an attribute") {
  const std::string html = picture(ramp(1, 1, 1), "<b> \"it's\"").markup;
  CHECK(contains(html, "alt=\"&lt;b&gt; &quot;it&#39;s&quot;\""));
  CHECK(contains(html, "<figcaption>&lt;b&gt; &quot;it&#39;s&quot;</figcaption>"));
  CHECK(!contains(html, "<b>"));
}

TEST_CASE("picture: sizes must fit") {
  data::Image image = ramp(2, 2, 1);
  CHECK_THROWS_WITH_AS(picture(image, "", 0), "picture: scale 0, expected at least 1", Error);
  image.pixels.pop_back();
  const char* message = "picture: 3 bytes for 2 x 2 pixels of 1 channels, expected at least one pixel, 1 or 3 channels";
  CHECK_THROWS_WITH_AS(picture(image, ""), message, Error);
  CHECK_THROWS_WITH_AS(overlaid(image, {1, 1, {0}}), message, Error);
  CHECK_THROWS_AS(picture(ramp(2, 2, 2), ""), Error);
  CHECK_THROWS_AS(picture(ramp(0, 2, 1), ""), Error);
}

TEST_CASE("overlaid: no value is grey, a full one orange, and what is below is seen") {
  const data::Image image = {2, 2, 1, {0, 255, 0, 255}};
  const data::Image seen = overlaid(image, {2, 1, {0, 1}});
  CHECK(seen.channels == 3);
  const std::vector<uint8_t> expected = {35, 35, 35, 215, 215, 215, 207, 105, 8, 246, 145, 47};
  CHECK(seen.pixels == expected);
}

TEST_CASE("overlaid: colours become their luma") {
  const data::Image image = {1, 3, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255}};
  CHECK(overlaid(image, {1, 1, {0}}).pixels == std::vector<uint8_t>{89, 89, 89, 141, 141, 141, 56, 56, 56});
}

TEST_CASE("overlaid: the cells cover the picture evenly, also where they do not divide it") {
  const data::Image image = {1, 5, 1, std::vector<uint8_t>(5, 0)};
  const std::vector<uint8_t> pixels = overlaid(image, {1, 2, {0, 1}}).pixels;
  std::vector<bool> orange;
  for (size_t i = 0; i < pixels.size(); i += 3) orange.push_back(pixels[i] > 100);
  CHECK(orange == std::vector<bool>{false, false, false, true, true});
}

TEST_CASE("overlaid: values out of range are taken as 0 or 1") {
  const data::Image image = {1, 4, 1, std::vector<uint8_t>(4, 100)};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(overlaid(image, {1, 4, {-1, 7, nan, 1}}).pixels == overlaid(image, {1, 4, {0, 1, 0, 1}}).pixels);
}

TEST_CASE("overlaid: the grid must fit") {
  const data::Image image = ramp(4, 4, 1);
  CHECK_THROWS_WITH_AS(overlaid(image, {2, 2, {0, 0, 0}}), "picture: 3 values over 2 x 2 cells of 4 x 4 pixels", Error);
  CHECK_THROWS_AS(overlaid(image, {0, 2, {}}), Error);
  CHECK_THROWS_AS(overlaid(image, {5, 1, {0, 0, 0, 0, 0}}), Error);
}

TEST_CASE("pictures: one figure a picture") {
  const Html one = picture(ramp(1, 1, 3), "one");
  CHECK(pictures({one, one}).markup == "<div class=\"pictures\">\n" + one.markup + one.markup + "</div>\n");
}

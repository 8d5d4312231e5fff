#include "examples/common/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "autograd/tensors/error.h"
#include "data/image_file.h"

namespace mixtape::examples {
namespace {

using Colour = std::array<double, 3>;

constexpr Colour kFull = {255, 125, 0};           // of the value 1
constexpr double kCover = 0.78;                   // how much of a pixel that hides
constexpr double kDarkest = 35, kLightest = 215;  // of the grey picture below

void check(const data::Image& image) {
  const int64_t bytes = image.height * image.width * image.channels;
  if (image.height > 0 && image.width > 0 && (image.channels == 1 || image.channels == 3) &&
      std::ssize(image.pixels) == bytes) {
    return;
  }
  fail(fmt::format("picture: {} bytes for {} x {} pixels of {} channels, expected at least one pixel, 1 or 3 channels",
                   image.pixels.size(), image.height, image.width, image.channels));
}

double grey(const uint8_t* pixel, int64_t channels) {
  const double light = channels == 1 ? pixel[0] : 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
  return kDarkest + light / 255 * (kLightest - kDarkest);
}

}  // namespace

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - at);
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (size_t i = 0; i < 4; ++i) text += i <= count ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

Html picture(const data::Image& image, std::string_view caption, int64_t scale) {
  check(image);
  if (scale < 1) fail(fmt::format("picture: scale {}, expected at least 1", scale));
  const std::string text = escape_html(caption);
  return {fmt::format(
      "<figure class=\"picture\"><img width=\"{}\" height=\"{}\" alt=\"{}\" src=\"data:image/png;base64,{}\">"
      "<figcaption>{}</figcaption></figure>\n",
      image.width * scale, image.height * scale, text, base64(data::to_png(image)), text)};
}

data::Image overlaid(const data::Image& image, const Overlay& overlay) {
  check(image);
  const auto [rows, columns, values] = overlay;
  if (rows < 1 || columns < 1 || rows > image.height || columns > image.width || std::ssize(values) != rows * columns) {
    fail(fmt::format("picture: {} values over {} x {} cells of {} x {} pixels", values.size(), rows, columns,
                     image.height, image.width));
  }
  data::Image result = {image.height, image.width, 3, {}};
  result.pixels.reserve(static_cast<size_t>(image.height * image.width * 3));
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      const int64_t cell = y * rows / image.height * columns + x * columns / image.width;
      const double value = values[static_cast<size_t>(cell)];
      const double cover = kCover * (value > 0 ? std::min(value, 1.0) : 0.0);  // of NaN: none
      const double below = grey(image.pixels.data() + (y * image.width + x) * image.channels, image.channels);
      for (const double colour : kFull) {
        result.pixels.push_back(static_cast<uint8_t>(std::lround(below + cover * (colour - below))));
      }
    }
  }
  return result;
}

Html pictures(const std::vector<Html>& items) {
  Html all = {"<div class=\"pictures\">\n"};
  for (const Html& item : items) all += item;
  return all += {"</div>\n"};
}

}  // namespace mixtape::examples

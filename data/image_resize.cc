#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "autograd/tensors/error.h"
#include "data/image_file.h"

namespace mixtape::data {
namespace {

/// What a pixel of the result takes along one axis: weights, which add up to one, of the pixels from `first` on.
struct Taps {
  int64_t first;
  std::vector<float> weights;
};

/// The pixels of which the result's pixel covers a part, weighted by it.
Taps area_taps(double start, double end, int64_t size) {
  Taps taps{static_cast<int64_t>(start), {}};
  for (int64_t i = taps.first; i < size && static_cast<double>(i) < end; ++i) {
    const double low = std::max(start, static_cast<double>(i)), high = std::min(end, static_cast<double>(i + 1));
    taps.weights.push_back(static_cast<float>((high - low) / (end - start)));
  }
  return taps;
}

/// The two pixels whose centres lie around `centre`; at the border the outermost alone.
Taps linear_taps(double centre, int64_t size) {
  const double position = std::clamp(centre - 0.5, 0.0, static_cast<double>(size - 1));
  const int64_t first = std::min(static_cast<int64_t>(position), std::max<int64_t>(size - 2, 0));
  const auto second = static_cast<float>(position - static_cast<double>(first));
  if (size == 1) return {0, {1.0F}};
  return {first, {1.0F - second, second}};
}

std::vector<Taps> taps_of(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  std::vector<Taps> all;
  all.reserve(static_cast<size_t>(to));
  for (int64_t i = 0; i < to; ++i) {
    const double start = static_cast<double>(i) * scale, end = static_cast<double>(i + 1) * scale;
    all.push_back(to < from ? area_taps(start, end, from) : linear_taps((start + end) / 2, from));
  }
  return all;
}

/// Applies `taps` to the middle axis: [outer, size, inner] becomes [outer, taps.size(), inner].
template <typename Value>
std::vector<float> apply(const std::vector<Taps>& taps, const std::vector<Value>& values, int64_t outer, int64_t size,
                         int64_t inner) {
  std::vector<float> result(static_cast<size_t>(outer * inner) * taps.size());
  float* out = result.data();
  for (int64_t o = 0; o < outer; ++o) {
    for (const Taps& tap : taps) {
      const Value* in = values.data() + (o * size + tap.first) * inner;
      for (const float weight : tap.weights) {
        for (int64_t i = 0; i < inner; ++i) out[i] += weight * static_cast<float>(in[i]);
        in += inner;
      }
      out += inner;
    }
  }
  return result;
}

void check(const char* function, const Image& image, int64_t height, int64_t width) {
  if (std::min({image.height, image.width, image.channels, height, width}) < 1 ||
      static_cast<int64_t>(image.pixels.size()) != image.height * image.width * image.channels) {
    fail(fmt::format("{}: [{}, {}, {}] and {} bytes to {} x {}, expected a picture and at least one pixel", function,
                     image.height, image.width, image.channels, image.pixels.size(), height, width));
  }
}

/// The middle of a picture.
Image crop(const Image& image, int64_t height, int64_t width) {
  Image part{.height = height, .width = width, .channels = image.channels, .pixels = {}};
  const int64_t top = (image.height - height) / 2, left = (image.width - width) / 2;
  for (int64_t y = top; y < top + height; ++y) {
    const uint8_t* row = image.pixels.data() + (y * image.width + left) * image.channels;
    part.pixels.insert(part.pixels.end(), row, row + width * image.channels);
  }
  return part;
}

/// What a side may be so that the picture is as wide for its height as the wanted one.
int64_t matching(int64_t side, int64_t other, double ratio) {
  return std::clamp<int64_t>(std::llround(static_cast<double>(other) * ratio), 1, side);
}

}  // namespace

Image resize(const Image& image, int64_t height, int64_t width) {
  check("resize", image, height, width);
  if (height == image.height && width == image.width) return image;
  const std::vector<float> narrow =
      apply(taps_of(image.width, width), image.pixels, image.height, image.width, image.channels);
  const std::vector<float> values =
      apply(taps_of(image.height, height), narrow, 1, image.height, width * image.channels);
  Image result{.height = height, .width = width, .channels = image.channels, .pixels = {}};
  result.pixels.reserve(values.size());
  for (const float value : values) result.pixels.push_back(static_cast<uint8_t>(std::lround(value)));
  return result;
}

Image fit(const Image& image, int64_t height, int64_t width) {
  check("fit", image, height, width);
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  return resize(crop(image, matching(image.height, image.width, 1 / ratio), matching(image.width, image.height, ratio)),
                height, width);
}

}  // namespace mixtape::data

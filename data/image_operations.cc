#include "data/image_operations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

namespace mixtape::data {
namespace {

using Table = std::array<uint8_t, 256>;
using Histogram = std::array<int64_t, 256>;

std::vector<uint8_t> copy_of(const ImageView& image) { return {image.pixels.begin(), image.pixels.end()}; }

// The place in the picture that an x and y of the result show, both from the middle.
struct Matrix {
  float xx = 1, xy = 0, yx = 0, yy = 1;
};

// The pixel at (x, y) between the four around it; those at the border reach half a pixel further.
void sample(const std::vector<uint8_t>& from, const ImageView& image, float x, float y, uint8_t* to) {
  const float left = std::floor(x), top = std::floor(y), right_share = x - left, bottom_share = y - top;
  const auto at = [&](float row, float column) {
    const int64_t r = std::clamp<int64_t>(static_cast<int64_t>(row), 0, image.height - 1);
    const int64_t c = std::clamp<int64_t>(static_cast<int64_t>(column), 0, image.width - 1);
    return from.data() + (r * image.width + c) * image.channels;
  };
  const uint8_t *a = at(top, left), *b = at(top, left + 1), *c = at(top + 1, left), *d = at(top + 1, left + 1);
  for (int64_t channel = 0; channel < image.channels; ++channel) {
    const auto between = [&](const uint8_t* first, const uint8_t* second) {
      const float low = first[channel];
      return low + right_share * (static_cast<float>(second[channel]) - low);
    };
    const float upper = between(a, b), lower = between(c, d);
    to[channel] = static_cast<uint8_t>(std::lround(upper + bottom_share * (lower - upper)));
  }
}

void transform(ImageView image, const Matrix& matrix) {
  const std::vector<uint8_t> from = copy_of(image);
  const auto width = static_cast<float>(image.width), height = static_cast<float>(image.height);
  uint8_t* to = image.pixels.data();
  for (int64_t row = 0; row < image.height; ++row) {
    const float down = static_cast<float>(row) + 0.5f - height / 2;
    for (int64_t column = 0; column < image.width; ++column, to += image.channels) {
      const float right = static_cast<float>(column) + 0.5f - width / 2;
      const float x = matrix.xx * right + matrix.xy * down + width / 2;
      const float y = matrix.yx * right + matrix.yy * down + height / 2;
      if (x >= 0 && x < width && y >= 0 && y < height) {
        sample(from, image, x - 0.5f, y - 0.5f, to);
      } else {
        std::fill_n(to, image.channels, uint8_t{0});
      }
    }
  }
}

void look_up(ImageView image, int64_t channel, const Table& table) {
  for (auto i = static_cast<size_t>(channel); i < image.pixels.size(); i += static_cast<size_t>(image.channels)) {
    image.pixels[i] = table[image.pixels[i]];
  }
}

// Each value through one table.
template <class F>
void map_values(ImageView image, const F& f) {
  Table table;
  for (int value = 0; value < 256; ++value) table[static_cast<size_t>(value)] = f(value);
  for (uint8_t& value : image.pixels) value = table[value];
}

Histogram histogram_of(const ImageView& image, int64_t channel) {
  Histogram histogram{};
  for (auto i = static_cast<size_t>(channel); i < image.pixels.size(); i += static_cast<size_t>(image.channels)) {
    ++histogram[image.pixels[i]];
  }
  return histogram;
}

uint8_t blend(float dull, float value, float factor) {
  return static_cast<uint8_t>(std::clamp(dull + factor * (value - dull), 0.0f, 255.0f));
}

int mean_luminance(const ImageView& image) {
  int64_t sum = 0, count = image.height * image.width;
  if (image.channels == 3) {
    for (size_t i = 0; i < image.pixels.size(); i += 3) {  // ITU-R 601-2, as in Pillow
      sum += (image.pixels[i] * 19595 + image.pixels[i + 1] * 38470 + image.pixels[i + 2] * 7471 + 0x8000) >> 16;
    }
  } else {
    sum = std::accumulate(image.pixels.begin(), image.pixels.end(), int64_t{0});
    count *= image.channels;
  }
  return static_cast<int>(std::lround(static_cast<double>(sum) / static_cast<double>(count)));
}

}  // namespace

void translate(ImageView image, int64_t right, int64_t down) {
  const std::vector<uint8_t> from = copy_of(image);
  std::fill(image.pixels.begin(), image.pixels.end(), uint8_t{0});
  const int64_t stride = image.width * image.channels, shift = right * image.channels;
  const int64_t first = std::clamp<int64_t>(shift, 0, stride), last = std::clamp<int64_t>(stride + shift, 0, stride);
  for (int64_t row = std::max<int64_t>(down, 0); row < std::min(image.height, image.height + down); ++row) {
    const uint8_t* source = from.data() + (row - down) * stride;
    if (first < last) std::copy(source + first - shift, source + last - shift, &image.pixels[0] + row * stride + first);
  }
}

void flip(ImageView image) {
  for (int64_t row = 0; row < image.height; ++row) {
    uint8_t* left = image.pixels.data() + row * image.width * image.channels;
    uint8_t* right = left + (image.width - 1) * image.channels;
    for (; left < right; left += image.channels, right -= image.channels) {
      std::swap_ranges(left, left + image.channels, right);
    }
  }
}

void rotate(ImageView image, double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  const auto cosine = static_cast<float>(std::cos(angle)), sine = static_cast<float>(std::sin(angle));
  transform(image, {.xx = cosine, .xy = -sine, .yx = sine, .yy = cosine});
}

void shear_x(ImageView image, double factor) { transform(image, {.xy = static_cast<float>(factor)}); }

void shear_y(ImageView image, double factor) { transform(image, {.yx = static_cast<float>(factor)}); }

void brightness(ImageView image, double factor) {
  map_values(image, [&](int value) { return blend(0, static_cast<float>(value), static_cast<float>(factor)); });
}

void contrast(ImageView image, double factor) {
  const auto mean = static_cast<float>(mean_luminance(image));
  map_values(image, [&](int value) { return blend(mean, static_cast<float>(value), static_cast<float>(factor)); });
}

void sharpness(ImageView image, double factor) {
  const std::vector<uint8_t> from = copy_of(image);
  const int64_t step = image.channels, stride = image.width * step;
  for (int64_t row = 1; row < image.height - 1; ++row) {
    for (int64_t i = row * stride + step; i < (row + 1) * stride - step; ++i) {
      const uint8_t* p = from.data() + i;
      const int around = p[-stride - step] + p[-stride] + p[-stride + step] + p[-step] + p[step] + p[stride - step] +
                         p[stride] + p[stride + step];
      const int smooth = (2 * (around + 5 * *p) + 13) / 26;
      image.pixels[static_cast<size_t>(i)] = blend(static_cast<float>(smooth), *p, static_cast<float>(factor));
    }
  }
}

void posterize(ImageView image, int bits) {
  const int mask = 0xff00 >> bits;
  map_values(image, [&](int value) { return static_cast<uint8_t>(value & mask); });
}

void solarize(ImageView image, int threshold) {
  map_values(image, [&](int value) { return static_cast<uint8_t>(value < threshold ? value : 255 - value); });
}

void auto_contrast(ImageView image) {
  for (int64_t channel = 0; channel < image.channels; ++channel) {
    int low = 255, high = 0;
    for (auto i = static_cast<size_t>(channel); i < image.pixels.size(); i += static_cast<size_t>(image.channels)) {
      low = std::min<int>(low, image.pixels[i]);
      high = std::max<int>(high, image.pixels[i]);
    }
    if (high <= low) continue;
    Table table{};
    for (int value = low; value <= high; ++value) {
      table[static_cast<size_t>(value)] = static_cast<uint8_t>((value - low) * 255 / (high - low));
    }
    look_up(image, channel, table);
  }
}

void equalize(ImageView image) {
  for (int64_t channel = 0; channel < image.channels; ++channel) {
    const Histogram histogram = histogram_of(image, channel);
    const auto brightest = std::find_if(histogram.rbegin(), histogram.rend(), [](int64_t n) { return n > 0; });
    if (brightest == histogram.rend()) continue;
    const int64_t step = (image.height * image.width - *brightest) / 255;
    if (step == 0) continue;
    Table table;
    int64_t below = step / 2;
    for (size_t value = 0; value < 256; ++value) {
      table[value] = static_cast<uint8_t>(std::min<int64_t>(below / step, 255));
      below += histogram[value];
    }
    look_up(image, channel, table);
  }
}

}  // namespace mixtape::data

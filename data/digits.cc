#include "data/digits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"
#include "data/digit_shapes.h"
#include "data/seeds.h"

namespace mixtape::data {
namespace {

constexpr int kSize = 28;
constexpr int kPieces = 5;  // straight pieces between two points of a stroke
constexpr StrokePoint kMiddle = {6, 10};

float draw(Random& random, double low, double high) { return static_cast<float>(random.uniform(low, high)); }

// The hand that writes one digit: where a point of the box comes to lie in the picture. Lengths in pixels.
class Hand {
 public:
  explicit Hand(Random& random) {
    const float turn = draw(random, -0.26, 0.26), slant = draw(random, -0.15, 0.4);
    const float height = draw(random, 0.72, 1.05), width = height * draw(random, 0.75, 1.2);
    x_ = {width * std::cos(turn), -height * (std::sin(turn) + slant * std::cos(turn))};
    y_ = {width * std::sin(turn), height * (std::cos(turn) - slant * std::sin(turn))};
    constexpr float kMiddle = static_cast<float>(kSize) / 2;
    shift_ = {kMiddle + draw(random, -3, 3), kMiddle + draw(random, -3, 3)};
    for (Wave& wave : waves_) {
      wave = {draw(random, 0, 0.7), draw(random, 0.15, 0.4), draw(random, 0, 2 * std::numbers::pi)};
    }
  }

  StrokePoint place(const StrokePoint& point) const {
    const float x = point.x - kMiddle.x + waves_[0].at(point.y), y = point.y - kMiddle.y + waves_[1].at(point.x);
    return {shift_.x + x_.x * x + x_.y * y, shift_.y + y_.x * x + y_.y * y};
  }

 private:
  struct Wave {
    float height = 0, frequency = 0, phase = 0;
    float at(float t) const { return height * std::sin(frequency * t + phase); }
  };

  StrokePoint x_, y_, shift_;
  std::array<Wave, 2> waves_;
};

// How far each pixel is from the nearest stroke, as far as that is within reach.
class Distances {
 public:
  explicit Distances(float reach) : reach_(reach) { squares_.fill(std::numeric_limits<float>::max()); }

  void add(const StrokePoint& from, const StrokePoint& to) {
    const float dx = to.x - from.x, dy = to.y - from.y;
    const float scale = 1 / std::max(dx * dx + dy * dy, 1e-6f);
    const int left = first(std::min(from.x, to.x)), right = last(std::max(from.x, to.x));
    const int top = first(std::min(from.y, to.y)), bottom = last(std::max(from.y, to.y));
    for (int row = top; row <= bottom; ++row) {
      const float y = static_cast<float>(row) + 0.5f - from.y;
      float* squares = squares_.data() + row * kSize;
      for (int column = left; column <= right; ++column) {
        const float x = static_cast<float>(column) + 0.5f - from.x;
        const float along = std::min(std::max((x * dx + y * dy) * scale, 0.0f), 1.0f);
        const float off_x = x - along * dx, off_y = y - along * dy;
        squares[column] = std::min(squares[column], off_x * off_x + off_y * off_y);
      }
    }
  }

  float square(size_t pixel) const { return squares_[pixel]; }

 private:
  int first(float low) const { return std::clamp(static_cast<int>(std::floor(low - reach_)), 0, kSize); }
  int last(float high) const { return std::clamp(static_cast<int>(std::floor(high + reach_)), -1, kSize - 1); }

  float reach_;
  std::array<float, kSize * kSize> squares_;
};

void trace(const Stroke& stroke, const Hand& hand, Distances& distances) {
  const Stroke line = flatten(stroke, kPieces);
  StrokePoint from = hand.place(line.front());
  for (const StrokePoint& point : line) {
    const StrokePoint to = hand.place(point);
    distances.add(from, to);
    from = to;
  }
}

// The point moves a little; both copies of a corner, and both ends of a closed stroke, move alike.
Stroke tremble(Stroke stroke, float by, Random& random) {
  const Stroke ideal = stroke;
  for (size_t i = 0; i < stroke.size(); ++i) {
    const auto same = [&](const StrokePoint& other) { return other.x == ideal[i].x && other.y == ideal[i].y; };
    const auto seen = static_cast<size_t>(std::find_if(ideal.begin(), ideal.end(), same) - ideal.begin());
    if (seen < i) {
      stroke[i] = stroke[seen];
    } else {
      stroke[i].x += by * draw(random, -1, 1);
      stroke[i].y += by * draw(random, -1, 1);
    }
  }
  return stroke;
}

// Ink where a stroke is, fading over `blur` pixels at its edge, and grain everywhere.
void paint(const Distances& distances, float radius, float blur, Random& random, uint8_t* pixels) {
  const float ink = draw(random, 170, 255), grain = draw(random, 0, 24) / 255, paper = draw(random, 0, 12);
  const float reach = radius + blur / 2;
  uint32_t bits = 0;
  for (size_t pixel = 0; pixel < kSize * kSize; ++pixel) {
    bits = pixel % 4 == 0 ? random.bits() : bits >> 8;
    float value = paper + grain * (static_cast<float>(bits & 255) - 127.5f);
    if (distances.square(pixel) < reach * reach) {
      value += ink * std::min((reach - std::sqrt(distances.square(pixel))) / blur, 1.0f);
    }
    pixels[pixel] = static_cast<uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f));
  }
}

void draw_digit(const DigitVariants& variants, Random& random, uint8_t* pixels) {
  const auto& strokes = variants[static_cast<size_t>(random.below(static_cast<int64_t>(variants.size())))];
  const Hand hand(random);
  const float radius = draw(random, 0.6, 1.7), blur = draw(random, 0.8, 2.2), by = draw(random, 0, 0.9);
  Distances distances(radius + blur / 2);
  for (const Stroke& stroke : strokes) trace(tremble(stroke, by, random), hand, distances);
  paint(distances, radius, blur, random, pixels);
}

}  // namespace

ImageSet draw_digits(int64_t count, uint64_t seed) {
  if (count < 0) fail(fmt::format("draw_digits: count {}, expected at least 0", count));
  const std::vector<DigitVariants>& shapes = digit_shapes();
  ImageSet set{.height = kSize, .width = kSize, .channels = 1, .pixels = {}, .labels = {}, .classes = {}};
  for (size_t digit = 0; digit < shapes.size(); ++digit) set.classes.push_back(std::to_string(digit));
  set.pixels.resize(static_cast<size_t>(count * set.image_bytes()));
  for (int64_t i = 0; i < count; ++i) {
    const auto digit = static_cast<size_t>(i) % shapes.size();
    Random random(mix_seed({seed, static_cast<uint64_t>(i)}));
    draw_digit(shapes[digit], random, set.pixels.data() + i * set.image_bytes());
    set.labels.push_back(static_cast<int32_t>(digit));
  }
  return set;
}

ImageSet read_digits(const std::string& part, uint64_t seed) {
  if (part == "train") return draw_digits(60000, mix_seed({seed, 0}));
  if (part == "test") return draw_digits(10000, mix_seed({seed, 1}));
  fail(fmt::format("digits: there is no part {}; there are train and test", part));
}

}  // namespace mixtape::data

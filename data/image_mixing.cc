#include "data/image_mixing.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mixtape::data {
namespace {

// The logarithm of the draw, because for a small alpha the draw itself may be too small a number.
double draw_log_gamma(double alpha, Random& random) {
  if (alpha < 1) return draw_log_gamma(alpha + 1, random) + std::log(1 - random.uniform()) / alpha;
  const double d = alpha - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal(), root = 1 + c * x;
    if (root <= 0) continue;
    const double log_v = 3 * std::log(root), v = root * root * root;
    if (std::log(1 - random.uniform()) < x * x / 2 + d - d * v + d * log_v) return std::log(d) + log_v;
  }
}

}  // namespace

double draw_beta(double alpha, Random& random) {
  const double first = draw_log_gamma(alpha, random);
  const double second = draw_log_gamma(alpha, random);
  return 1 / (1 + std::exp(second - first));
}

void mixup(const Tensor& images, double lambda) {
  const int64_t count = images.size(0), size = images.elements() / std::max<int64_t>(count, 1);
  const auto share = static_cast<float>(lambda);
  float* pixels = images.mutable_data<float>();
  for (int64_t i = 0; i < count / 2; ++i) {
    float *first = pixels + i * size, *second = pixels + (count - 1 - i) * size;
    for (int64_t k = 0; k < size; ++k) {
      const float a = first[k], b = second[k];
      first[k] = share * a + (1 - share) * b;
      second[k] = share * b + (1 - share) * a;
    }
  }
}

double cutmix(const Tensor& images, double lambda, Random& random) {
  const int64_t count = images.size(0), height = images.size(1), width = images.size(2), channels = images.size(3);
  const double side = std::sqrt(1 - lambda);
  const auto range = [&](int64_t size) {
    const auto length = static_cast<int64_t>(side * static_cast<double>(size));
    const int64_t begin = random.below(size) - length / 2;
    return std::pair(std::max<int64_t>(begin, 0), std::min(begin + length, size));
  };
  const auto [top, bottom] = range(height);
  const auto [left, right] = range(width);
  float* pixels = images.mutable_data<float>();
  for (int64_t i = 0; i < count / 2; ++i) {
    for (int64_t row = top; row < bottom; ++row) {
      float* first = pixels + ((i * height + row) * width + left) * channels;
      float* second = pixels + (((count - 1 - i) * height + row) * width + left) * channels;
      std::swap_ranges(first, first + (right - left) * channels, second);
    }
  }
  return 1 - static_cast<double>((bottom - top) * (right - left)) / static_cast<double>(height * width);
}

Tensor mixed_targets(const Tensor& labels, int64_t classes, double lambda) {
  const int64_t count = labels.elements();
  Tensor targets = Tensor::zeros({count, classes});
  const int32_t* label = labels.data<int32_t>();
  float* target = targets.mutable_data<float>();
  for (int64_t i = 0; i < count; ++i) {
    target[i * classes + label[i]] += static_cast<float>(lambda);
    target[i * classes + label[count - 1 - i]] += 1 - static_cast<float>(lambda);
  }
  return targets;
}

}  // namespace mixtape::data

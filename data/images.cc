#include "data/images.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"

namespace mixtape::data {

ImageSet subset(const ImageSet& images, const std::vector<int64_t>& indices) {
  ImageSet result{images.height, images.width, images.channels, {}, {}, images.classes};
  result.pixels.reserve(indices.size() * static_cast<size_t>(images.image_bytes()));
  for (const int64_t index : indices) {
    if (index < 0 || index >= images.size()) fail(fmt::format("subset: image {} of {}", index, images.size()));
    const std::span<const uint8_t> image = images.image(index);
    result.pixels.insert(result.pixels.end(), image.begin(), image.end());
    result.labels.push_back(images.labels[static_cast<size_t>(index)]);
  }
  return result;
}

HeldOut hold_out(const ImageSet& images, int64_t count, uint64_t seed) {
  if (count < 0 || count >= images.size())
    fail(fmt::format("hold out: {} of {} images, expected fewer than there are", count, images.size()));
  std::vector<int64_t> order(static_cast<size_t>(images.size()));
  std::iota(order.begin(), order.end(), int64_t{0});
  Random random(seed);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t chosen = i + random.below(images.size() - i);
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(chosen)]);
  }
  const auto middle = order.begin() + count;
  std::sort(order.begin(), middle);
  std::sort(middle, order.end());
  return {subset(images, {middle, order.end()}), subset(images, {order.begin(), middle})};
}

}  // namespace mixtape::data

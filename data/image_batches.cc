#include "data/image_batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <span>

#include "autograd/tensors/error.h"
#include "data/image_mixing.h"
#include "data/seeds.h"

namespace mixtape::data {
namespace {

// Random streams of an epoch, one kind for each use.
enum Use : uint64_t { kOrder, kPixels, kMixing };

uint64_t stream(const ImageBatchOptions& options, Use use, int64_t index = 0) {
  return mix_seed({options.seed, static_cast<uint64_t>(options.epoch), use, static_cast<uint64_t>(index)});
}

void check_alpha(const char* name, double alpha) {
  const bool usable = std::isfinite(alpha) && alpha >= 0;
  if (!usable) fail(fmt::format("image_batches: {} {}, expected a number that is at least 0", name, alpha));
}

void check(const ImageBatchOptions& options) {
  if (options.images < 1) fail(fmt::format("image_batches: images {}, expected at least 1", options.images));
  if (options.first < 0) fail(fmt::format("image_batches: first {}, expected at least 0", options.first));
  check_alpha("mixup", options.mixup);
  check_alpha("cutmix", options.cutmix);
  check(options.augment);
}

// For each channel, what the 256 values become.
class Normalizer {
 public:
  Normalizer(const Normalization& normalization, int64_t channels) {
    const auto& [mean, deviation] = normalization;
    if (static_cast<int64_t>(mean.size()) != channels || mean.size() != deviation.size()) {
      fail(fmt::format("normalization: {} means and {} deviations for {} channels", mean.size(), deviation.size(),
                       channels));
    }
    for (size_t c = 0; c < mean.size(); ++c) {
      if (!(deviation[c] > 0)) fail(fmt::format("normalization: deviation {}, expected more than 0", deviation[c]));
      for (size_t value = 0; value < 256; ++value) {
        tables_.emplace_back((static_cast<float>(value) / 255 - mean[c]) / deviation[c]);
      }
    }
  }

  void apply(std::span<const uint8_t> pixels, float* to) const {
    const size_t channels = tables_.size() / 256;
    for (size_t i = 0; i < pixels.size(); i += channels) {
      for (size_t c = 0; c < channels; ++c) to[i + c] = tables_[c * 256 + pixels[i + c]];
    }
  }

 private:
  std::vector<float> tables_;
};

Tensor blank(const ImageSet& images, const std::vector<int64_t>& indices) {
  return Tensor::uninitialized({static_cast<int64_t>(indices.size()), images.height, images.width, images.channels});
}

Tensor labels_of(const ImageSet& images, const std::vector<int64_t>& indices) {
  std::vector<int32_t> labels;
  for (const int64_t index : indices) labels.push_back(images.labels[static_cast<size_t>(index)]);
  return Tensor::from(labels, {static_cast<int64_t>(labels.size())});
}

Tensor augmented(const ImageSet& images, const std::vector<int64_t>& indices, const Normalizer& normalizer,
                 const ImageBatchOptions& options) {
  Tensor batch = blank(images, indices);
  float* to = batch.mutable_data<float>();
  std::vector<uint8_t> pixels(static_cast<size_t>(images.image_bytes()));
  for (const int64_t index : indices) {
    const auto original = images.image(index);
    std::copy(original.begin(), original.end(), pixels.begin());
    Random random(stream(options, kPixels, index));
    augment({pixels, images.height, images.width, images.channels}, options.augment, random);
    normalizer.apply(pixels, to);
    to += images.image_bytes();
  }
  return batch;
}

void mix(ImageBatch& batch, int64_t classes, const ImageBatchOptions& options) {
  Random random(stream(options, kMixing, batch.index));
  const bool cut = options.mixup == 0 || (options.cutmix > 0 && random.below(2) == 0);
  double lambda = draw_beta(cut ? options.cutmix : options.mixup, random);
  if (cut) {
    lambda = cutmix(batch.images, lambda, random);
  } else {
    mixup(batch.images, lambda);
  }
  batch.targets = mixed_targets(batch.labels, classes, lambda);
}

}  // namespace

Normalization normalization_of(const ImageSet& images) {
  const auto channels = static_cast<size_t>(images.channels);
  Normalization normalization;
  for (size_t c = 0; c < channels; ++c) {
    std::array<int64_t, 256> counts{};
    for (size_t i = c; i < images.pixels.size(); i += channels) ++counts[images.pixels[i]];
    double count = 0, sum = 0, squares = 0;
    for (size_t value = 0; value < 256; ++value) {
      const auto times = static_cast<double>(counts[value]), x = static_cast<double>(value) / 255;
      count += times;
      sum += times * x;
      squares += times * x * x;
    }
    const double mean = count > 0 ? sum / count : 0;
    const double variance = count > 0 ? squares / count - mean * mean : 0;
    normalization.mean.push_back(static_cast<float>(mean));
    normalization.deviation.push_back(variance > 1e-12 ? static_cast<float>(std::sqrt(variance)) : 1);
  }
  return normalization;
}

Tensor to_tensor(const ImageSet& images, const std::vector<int64_t>& indices, const Normalization& normalization) {
  const Normalizer normalizer(normalization, images.channels);
  Tensor batch = blank(images, indices);
  float* to = batch.mutable_data<float>();
  for (const int64_t index : indices) {
    if (index < 0 || index >= images.size()) {
      fail(fmt::format("to_tensor: picture {} of {}", index, images.size()));
    }
    normalizer.apply(images.image(index), to);
    to += images.image_bytes();
  }
  return batch;
}

std::vector<std::vector<int64_t>> plan_image_batches(int64_t count, const ImageBatchOptions& options) {
  check(options);
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  Random random(stream(options, kOrder));
  for (size_t i = order.size(); options.shuffle && i > 1; --i) {  // Fisher and Yates
    std::swap(order[i - 1], order[static_cast<size_t>(random.below(static_cast<int64_t>(i)))]);
  }
  std::vector<std::vector<int64_t>> plan;
  for (int64_t first = 0; first < count; first += options.images) {
    const int64_t last = std::min(first + options.images, count);
    if (options.drop_last && first > 0 && last - first < options.images) break;
    plan.emplace_back(order.begin() + first, order.begin() + last);
  }
  return plan;
}

Prefetch<ImageBatch> image_batches(const ImageSet& images, const Normalization& normalization,
                                   const ImageBatchOptions& options) {
  const auto plan =
      std::make_shared<const std::vector<std::vector<int64_t>>>(plan_image_batches(images.size(), options));
  const auto normalizer = std::make_shared<const Normalizer>(normalization, images.channels);
  const auto count = static_cast<int64_t>(plan->size());
  return Prefetch<ImageBatch>(std::min(options.first, count), count, [=, &images](int64_t index) {
    const std::vector<int64_t>& indices = (*plan)[static_cast<size_t>(index)];
    ImageBatch batch{.images = augmented(images, indices, *normalizer, options),
                     .labels = labels_of(images, indices),
                     .targets = {},
                     .index = index};
    if (options.mixup > 0 || options.cutmix > 0) mix(batch, static_cast<int64_t>(images.classes.size()), options);
    return batch;
  });
}

}  // namespace mixtape::data

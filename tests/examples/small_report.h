#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "autograd/files/file.h"
#include "examples/common/metrics.h"
#include "examples/vit/report.h"
#include "tests/temporary_folder.h"

namespace mixtape::tests {

/// A classifier of such pictures, small, with random weights.
inline vit::Classifier random_classifier(const data::ImageSet& images, nn::Pooling pooling = nn::Pooling::class_token,
                                         int64_t patch = 4) {
  Random random(5);
  const nn::VisionTransformerOptions options = {
      .image_height = images.height,
      .image_width = images.width,
      .channels = images.channels,
      .patch = patch,
      .classes = std::ssize(images.classes),
      .block = {.width = 16, .heads = 2, .dropout = 0, .attention_dropout = 0, .activation = nn::Activation::gelu},
      .layers = 3,
      .pooling = pooling};
  return {{.name = "small", .model = options},
          images.classes,
          data::normalization_of(images),
          nn::VisionTransformer(options, random)};
}

/// Metrics of a training that never was, as `vit train` and `translator train` log them.
inline void write_metrics(const examples::RunFolder& run, int64_t steps) {
  examples::MetricsWriter writer(run.metrics());
  for (int64_t step = 1; step <= steps; ++step) {
    const double loss = 2.3 * std::exp(-static_cast<double>(step) / 40) + 0.05 + 0.01 * static_cast<double>(step % 7);
    examples::Metrics row = {.step = step,
                             .epoch = static_cast<double>(step) / 50,
                             .loss = loss,
                             .learning_rate = 1e-5 * static_cast<double>(step),
                             .grad_norm = loss / 2,
                             .items_per_second = 5000 + 10 * static_cast<double>(step % 11),
                             .seconds = static_cast<double>(step)};
    if (step % 50 == 0) row.extra = {{"val_loss", loss + 0.1}, {"accuracy", 1 - loss / 3}, {"bleu", 30 - loss}};
    writer.write(row);
  }
}

/// The page that `vit train` would write about a classifier with random weights.
inline std::string write_small_report(const examples::RunFolder& run, const data::ImageSet& images,
                                      nn::Pooling pooling = nn::Pooling::class_token, int64_t patch = 4) {
  write_metrics(run, 200);
  const vit::Classifier classifier = random_classifier(images, pooling, patch);
  std::vector<int64_t> all;
  for (int64_t i = 0; i < images.size(); ++i) all.push_back(i);
  data::Classification result(std::ssize(images.classes));
  if (!all.empty()) {
    result.add(classifier.model(data::to_tensor(images, all, classifier.normalization)),
               Tensor::from(images.labels, {images.size()}));
  }
  vit::write_report(run, classifier, images, "test images", result);
  return read_file(run.report());
}

}  // namespace mixtape::tests

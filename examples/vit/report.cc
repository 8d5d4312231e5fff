#include "examples/vit/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"
#include "data/image_file.h"
#include "examples/common/format.h"
#include "examples/common/html.h"
#include "examples/common/picture.h"
#include "examples/common/training_charts.h"
#include "examples/vit/attention.h"
#include "examples/vit/confusion.h"

namespace mixtape::vit {
namespace {

using namespace examples;
using data::Classification;

constexpr size_t kMistakesShown = 24;
constexpr size_t kAttentionShown = 6;  // images, of different classes
constexpr int64_t kSide = 128;         // of an image in the page, in pixels, approximately

std::string percent(double share, int digits = 2) { return fmt::format("{:.{}f} %", 100 * share, digits); }

Html result_of(const Classification& result, const std::string& part, int64_t classes) {
  std::vector<std::pair<std::string, std::string>> values = {
      {"judged by", fmt::format("{} {}", format_count(result.count()), part)},
      {"accuracy", percent(result.accuracy())}};
  const int64_t k = classes >= 20 ? 5 : 2;
  if (classes > k) values.emplace_back(fmt::format("top-{} accuracy", k), percent(result.top_k(k)));
  values.emplace_back("loss", fmt::format("{:.4f} nats", result.loss()));
  values.emplace_back("calibration error", percent(result.calibration_error()));
  return html_key_values(values);
}

Html curves(const RunFolder& run) {
  return training_charts(read_metrics(run.metrics()), {.item = "image",
                                                       .training_loss = "smoothed, mixed labels",
                                                       .score = "accuracy",
                                                       .score_title = "Accuracy on validation images",
                                                       .score_unit = "accuracy"});
}

// An image of the set for the page: large ones are scaled down, to no less than a pixel per patch.
data::Image shown(const data::ImageSet& images, size_t index, int64_t patch) {
  const std::span<const uint8_t> pixels = images.image(static_cast<int64_t>(index));
  data::Image image = {images.height, images.width, images.channels, {pixels.begin(), pixels.end()}};
  const int64_t factor = std::clamp<int64_t>(std::max(image.height, image.width) / kSide, 1, patch);
  return factor == 1 ? image : data::resize(image, image.height / factor, image.width / factor);
}

int64_t scale_of(const data::Image& image) { return std::max<int64_t>(1, kSide / std::max(image.height, image.width)); }

Html figure(const data::Image& image, const std::string& caption) { return picture(image, caption, scale_of(image)); }

/// The sections of the report with images.
struct Gallery {
  const Classifier& classifier;
  const data::ImageSet& images;
  const std::vector<Classification::Outcome>& outcomes;

  const std::string& name(int32_t label) const { return classifier.classes.at(static_cast<size_t>(label)); }
  std::string caption(size_t index) const {
    const Classification::Outcome& outcome = outcomes[index];
    return fmt::format("said {} ({:.0f}\u00a0%)\nis {}", name(outcome.predicted), 100 * outcome.confidence,
                       name(outcome.label));
  }
  data::Image image(size_t index) const { return shown(images, index, classifier.model.options.patch); }

  Html mistakes() const;
  Html attention() const;

 private:
  std::vector<int64_t> of_each_class() const;
  Html weights_over(const data::Image& image, const PatchWeights& weights, const std::string& caption) const;
};

Html Gallery::mistakes() const {
  std::vector<size_t> wrong;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].rank > 0 && std::isfinite(outcomes[i].confidence)) wrong.push_back(i);
  }
  if (wrong.empty()) return html_paragraph("None.");
  std::stable_sort(wrong.begin(), wrong.end(),
                   [this](size_t a, size_t b) { return outcomes[a].confidence > outcomes[b].confidence; });
  wrong.resize(std::min(wrong.size(), kMistakesShown));
  std::vector<Html> items;
  for (const size_t i : wrong) items.push_back(figure(image(i), caption(i)));
  return pictures(items);
}

// The first image of each of a few classes.
std::vector<int64_t> Gallery::of_each_class() const {
  std::vector<bool> seen(classifier.classes.size());
  std::vector<int64_t> chosen;
  for (size_t i = 0; i < outcomes.size() && chosen.size() < kAttentionShown; ++i) {
    const auto label = static_cast<size_t>(outcomes[i].label);
    if (seen[label]) continue;
    seen[label] = true;
    chosen.push_back(static_cast<int64_t>(i));
  }
  return chosen;
}

Html Gallery::weights_over(const data::Image& image, const PatchWeights& weights, const std::string& caption) const {
  const double highest = *std::max_element(weights.begin(), weights.end());
  Overlay overlay = {classifier.model.patch_rows(), classifier.model.patch_columns(), weights};
  for (double& value : overlay.values) value /= highest > 0 ? highest : 1;
  return figure(overlaid(image, overlay), fmt::format("{}\nup to {}", caption, percent(highest, 1)));
}

Html Gallery::attention() const {
  const std::vector<int64_t> chosen = of_each_class();
  if (chosen.empty()) return html_paragraph("No images.");
  const bool class_token = classifier.model.class_token.defined();
  const nn::AttentionRecorder recorder;
  classifier.model(data::to_tensor(images, chosen, classifier.normalization));
  Html html, layers;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const auto index = static_cast<size_t>(chosen[i]);
    const data::Image picture = image(index);
    const auto weights = patch_attention(recorder.entries(), static_cast<int64_t>(i), class_token);
    const auto heads = [&](size_t layer) {
      std::vector<Html> items;
      for (const PatchWeights& head : weights[layer]) {
        items.push_back(weights_over(picture, head, fmt::format("head {}", items.size() + 1)));
      }
      return items;
    };
    std::vector<Html> row = heads(weights.size() - 1);
    row.insert(row.begin(), figure(picture, caption(index)));
    row.push_back(
        weights_over(picture, attention_rollout(recorder.entries(), static_cast<int64_t>(i), class_token), "rollout"));
    html += pictures(row);
    for (size_t layer = 0; i == 0 && layer < weights.size(); ++layer) {
      layers += html_paragraph(fmt::format("Layer {} of {}", layer + 1, weights.size()));
      layers += pictures(heads(layer));
    }
  }
  Html all = html_paragraph(fmt::format(
      "What {}, in each head of the last layer, and attention rollout: the contribution of each patch through "
      "all layers (Abnar and Zuidema 2020). The image is grey; the more orange, the more attention, compared with "
      "the "
      "patch that gets most.",
      class_token ? "the class token attends to" : "the patches attend to on average"));
  all += html;
  all += html_paragraph("The first image again, with the heads of every layer.");
  return all += layers;
}

std::string augmentation(const Preset& preset) {
  const data::AugmentOptions& augment = preset.augment;
  std::string text;
  const auto add = [&text](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
  if (augment.crop_padding > 0) add(fmt::format("crop out of {} more pixels around", augment.crop_padding));
  if (augment.flip) add("flip");
  if (augment.rand_augment.operations > 0) {
    add(fmt::format("RandAugment {} at {}", augment.rand_augment.operations, augment.rand_augment.magnitude));
  }
  if (augment.erasing > 0) add(fmt::format("erasing {}", augment.erasing));
  if (preset.mixup > 0) add(fmt::format("mixup {}", preset.mixup));
  if (preset.cutmix > 0) add(fmt::format("CutMix {}", preset.cutmix));
  return text.empty() ? "none" : text;
}

Html settings(const Classifier& classifier) {
  const nn::VisionTransformerOptions& model = classifier.model.options;
  const Preset& preset = classifier.preset;
  const nn::BlockOptions& block = model.block;
  return html_key_values(
      {{"preset", preset.name},
       {"parameters", format_count(nn::count_parameters(classifier.model))},
       {"image", fmt::format("{} × {} × {}", model.image_height, model.image_width, model.channels)},
       {"patch", fmt::format("{0} × {0}", model.patch)},
       {"stem", model.stem == nn::Stem::patch ? "patches" : "convolutions"},
       {"tokens", fmt::format("{}", classifier.model.tokens())},
       {"pooling", model.pooling == nn::Pooling::class_token ? "class token" : "mean of tokens"},
       {"positions", model.positions == nn::PositionKind::learned ? "learned" : "sinusoidal"},
       {"width, heads", fmt::format("{}, {}", block.width, block.heads)},
       {"layers", fmt::format("{}", model.layers)},
       {"feed-forward", fmt::format("{}", block.hidden())},
       {"dropout", fmt::format("{}, of attention {}", block.dropout, block.attention_dropout)},
       {"stochastic depth", fmt::format("{}", block.stochastic_depth)},
       {"layer scale", block.layer_scale == 0 ? "none" : fmt::format("from {}", block.layer_scale)},
       {"batch", fmt::format("{} images", preset.batch)},
       {"learning rate",
        fmt::format("{} at its peak, {}, {} steps of warm-up", preset.rate.peak, preset.rate.name, preset.rate.warmup)},
       {"weight decay", fmt::format("{}", preset.weight_decay)},
       {"label smoothing", fmt::format("{}", preset.label_smoothing)},
       {"augmentation", augmentation(preset)},
       {"moving average", preset.moving_average > 0 ? fmt::format("{}", preset.moving_average) : "none"}});
}

void check_fit(const Classifier& classifier, const data::ImageSet& images, const Classification& result) {
  const size_t classes = classifier.classes.size();
  if (result.count() == images.size() && result.confusion().size() == classes * classes) return;
  fail(fmt::format("report: {} results for {} images of {} classes", result.count(), images.size(), classes));
}

}  // namespace

void write_report(const RunFolder& run, const Classifier& classifier, const data::ImageSet& images,
                  const std::string& part, const Classification& result) {
  check_fit(classifier, images, result);
  const Gallery gallery = {classifier, images, result.outcomes()};
  const auto classes = static_cast<int64_t>(classifier.classes.size());
  Html body = html_section("Result", result_of(result, part, classes));
  body += html_section("Training", curves(run));
  body += html_section("Confusion matrix", confusion_matrix(classifier.classes, result.confusion()));
  body += html_section("Most confident mistakes", gallery.mistakes());
  body += html_section("Attention", gallery.attention());
  body += html_section("Model", settings(classifier));
  const std::string summary =
      fmt::format("accuracy {} on {} {}", percent(result.accuracy()), format_count(result.count()), part);
  write_atomically(run.report(), html_page("Image classifier", summary, body));
}

}  // namespace mixtape::vit

#include "examples/vit/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"
#include "data/digits.h"
#include "data/image_file.h"
#include "examples/common/picture.h"
#include "examples/vit/attention.h"

namespace mixtape::vit {
namespace {

constexpr uint64_t kSeed = 3;  // of the digits shown
constexpr int64_t kShownDigit = 7;
constexpr int64_t kNumbers = 12;         // of a token that are drawn
constexpr const char* kInk = "#57606a";  // readable on white and on black

/// Builds an SVG image.
class Drawing {
 public:
  void image(const data::Image& image, double x, double y, double width) {
    const double height = width * static_cast<double>(image.height) / static_cast<double>(image.width);
    body_ += fmt::format(
        "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" style=\"image-rendering:pixelated\" "
        "href=\"data:image/png;base64,{}\"/>\n",
        x, y, width, height, examples::base64(data::to_png(image)));
    reach(x + width, y + height);
  }
  void rectangle(double x, double y, double width, double height, const std::string& fill, const std::string& stroke) {
    body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" stroke=\"{}\"/>\n", x, y,
                         width, height, fill, stroke);
    reach(x + width, y + height);
  }
  void text(double x, double y, const std::string& words) {
    body_ += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"{}\">{}</text>\n", x, y, kInk,
                         examples::escape_html(words));
    reach(x, y);
  }
  void arrow(double x, double y, double to_x, double to_y) {
    body_ += fmt::format(
        "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\" stroke-width=\"1.5\" "
        "marker-end=\"url(#head)\"/>\n",
        x, y, to_x, to_y, kInk);
  }

  std::string svg() const {
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n"
        "<defs><marker id=\"head\" markerWidth=\"8\" markerHeight=\"8\" refX=\"6\" refY=\"4\" orient=\"auto\">"
        "<path d=\"M0,0 L8,4 L0,8 z\" fill=\"{2}\"/></marker></defs>\n{3}</svg>\n",
        std::ceil(right_) + 10, std::ceil(bottom_) + 10, kInk, body_);
  }

 private:
  void reach(double x, double y) {
    right_ = std::max(right_, x);
    bottom_ = std::max(bottom_, y);
  }

  std::string body_;
  double right_ = 0, bottom_ = 0;
};

data::Image cut(const data::ImageSet& images, int64_t index, int64_t row, int64_t column, int64_t size) {
  data::Image patch{size, size, images.channels, {}};
  const std::span<const uint8_t> pixels = images.image(index);
  for (int64_t y = row; y < row + size; ++y) {
    const auto first = pixels.begin() + (y * images.width + column) * images.channels;
    patch.pixels.insert(patch.pixels.end(), first, first + size * images.channels);
  }
  return patch;
}

data::Image whole(const data::ImageSet& images, int64_t index) {
  return {images.height, images.width, images.channels, {images.image(index).begin(), images.image(index).end()}};
}

std::string patches_figure(const data::ImageSet& digits, const nn::VisionTransformer& model) {
  constexpr double kSide = 196, kTop = 10, kLeft = 10, kGap = 6, kSecond = 290;
  const int64_t patch = model.options.patch, columns = model.patch_columns();
  const double size = kSide / static_cast<double>(columns);
  Drawing drawing;
  drawing.image(whole(digits, kShownDigit), kLeft, kTop, kSide);
  drawing.arrow(kLeft + kSide + 20, kTop + kSide / 2, kSecond - 20, kTop + kSide / 2);
  for (int64_t i = 0; i < model.patch_rows() * columns; ++i) {
    const int64_t row = i / columns, column = i % columns;
    const auto x = static_cast<double>(column), y = static_cast<double>(row);
    drawing.rectangle(kLeft + x * size, kTop + y * size, size, size, "none", "#fb8500");
    drawing.image(cut(digits, kShownDigit, row * patch, column * patch, patch), kSecond + x * (size + kGap),
                  kTop + y * (size + kGap), size);
  }
  return drawing.svg();
}

// Orange for positive values, blue for negative ones, stronger for larger ones.
std::string colour_of(double value) {
  const double strength = std::min(1.0, std::abs(value));
  const auto mix = [&](double from, double to) { return static_cast<int>(std::lround(from + strength * (to - from))); };
  return value > 0 ? fmt::format("rgb({},{},{})", mix(235, 251), mix(235, 133), mix(235, 0))
                   : fmt::format("rgb({},{},{})", mix(235, 33), mix(235, 102), mix(235, 172));
}

std::string tokens_figure(const data::ImageSet& digits, const Classifier& classifier) {
  constexpr double kLeft = 10, kTop = 10, kSize = 34, kPitch = 44, kCell = 8, kRows = 90;
  const nn::VisionTransformer& model = classifier.model;
  const int64_t patch = model.options.patch, columns = model.patch_columns(), width = model.options.block.width;
  const std::vector<double> rows =
      model.embedding(data::to_tensor(digits, {kShownDigit}, classifier.normalization)).values();
  const std::vector<double> first = model.class_token.values();
  double largest = 0;
  for (const double value : rows) largest = std::max(largest, std::abs(value));
  Drawing drawing;
  for (int64_t token = 0; token < model.tokens(); ++token) {
    const double x = kLeft + static_cast<double>(token) * kPitch, middle = x + kSize / 2;
    const int64_t i = token - 1;
    if (token == 0) {
      drawing.rectangle(x, kTop, kSize, kSize, "none", kInk);
      drawing.text(middle, kTop + 21, "class");
    } else {
      drawing.image(cut(digits, kShownDigit, i / columns * patch, i % columns * patch, patch), x, kTop, kSize);
    }
    drawing.arrow(middle, kTop + kSize + 8, middle, kRows - 8);
    for (int64_t k = 0; k < kNumbers; ++k) {
      const double value = token == 0 ? first[static_cast<size_t>(k)] : rows[static_cast<size_t>(i * width + k)];
      drawing.rectangle(middle - kCell / 2, kRows + static_cast<double>(k) * kCell, kCell, kCell,
                        colour_of(2 * value / largest), "none");
    }
    drawing.text(middle, kRows + kCell * static_cast<double>(kNumbers) + 20, fmt::format("{}", token));
  }
  return drawing.svg();
}

std::string attention_figure(const data::ImageSet& digits, const Classifier& classifier) {
  constexpr double kSide = 84, kPitch = 94, kLeft = 10, kTop = 28;
  const std::vector<int64_t> shown = {2, 4, 5, 7};
  const nn::VisionTransformer& model = classifier.model;
  const nn::AttentionRecorder recorder;
  model(data::to_tensor(digits, shown, classifier.normalization));
  Drawing drawing;
  for (size_t row = 0; row < shown.size(); ++row) {
    const data::Image image = whole(digits, shown[row]);
    const double y = kTop + static_cast<double>(row) * kPitch;
    drawing.image(image, kLeft, y, kSide);
    const auto image_index = static_cast<int64_t>(row);
    std::vector<PatchWeights> maps = patch_attention(recorder.entries(), image_index, true).back();
    maps.push_back(attention_rollout(recorder.entries(), image_index, true));
    for (size_t i = 0; i < maps.size(); ++i) {
      const double highest = *std::max_element(maps[i].begin(), maps[i].end());
      for (double& value : maps[i]) value /= highest;
      const double x = kLeft + static_cast<double>(i + 1) * kPitch;
      const examples::Overlay overlay{model.patch_rows(), model.patch_columns(), maps[i]};
      drawing.image(examples::overlaid(image, overlay), x, y, kSide);
      if (row == 0)
        drawing.text(x + kSide / 2, kTop - 10, i + 1 == maps.size() ? "rollout" : fmt::format("head {}", i + 1));
    }
  }
  return drawing.svg();
}

}  // namespace

void write_figures(const Classifier& classifier, const std::string& folder) {
  const data::ImageSet digits = data::draw_digits(10, kSeed);
  const nn::VisionTransformerOptions& model = classifier.model.options;
  if (model.image_height != digits.height || model.image_width != digits.width || model.channels != 1 ||
      !classifier.model.class_token) {
    fail("figures: expected a model for the drawn digits with a class token");
  }
  write_atomically(folder + "/patches.svg", patches_figure(digits, classifier.model));
  write_atomically(folder + "/tokens.svg", tokens_figure(digits, classifier));
  write_atomically(folder + "/attention.svg", attention_figure(digits, classifier));
}

}  // namespace mixtape::vit

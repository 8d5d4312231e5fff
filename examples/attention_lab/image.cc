#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "data/digits.h"
#include "data/image_file.h"
#include "examples/attention_lab/preset.h"
#include "examples/common/picture.h"
#include "examples/vit/inference.h"

namespace mixtape::attention_lab {
namespace {

constexpr int64_t kPictures = 4096;
constexpr int64_t kBatchImages = 64;
constexpr int64_t kShown = 3;  // of ten digits not used in training

struct TrainedViT {
  std::vector<std::string> classes;
  data::Normalization normalization;
  nn::VisionTransformer model;
  std::vector<GradientNorms> norms;
};

TrainedViT train_small(const std::string& layer) {
  const data::ImageSet digits = data::draw_digits(kPictures, 1);
  const data::Normalization normalization = data::normalization_of(digits);
  Random random(1);
  const nn::VisionTransformer model({.image_height = 28,
                                     .image_width = 28,
                                     .channels = 1,
                                     .patch = 7,
                                     .classes = 10,
                                     .block = {.width = 16,
                                               .heads = 2,
                                               .feed_forward = 32,
                                               .dropout = 0,
                                               .attention_dropout = 0,
                                               .activation = nn::Activation::gelu},
                                     .layers = 2},
                                    random);
  check_layer(model, layer);
  const auto plan = data::plan_image_batches(kPictures, {.images = kBatchImages, .seed = 1});
  const auto loss = [&](int64_t step) {
    const std::vector<int64_t>& batch = plan[static_cast<size_t>(step) % plan.size()];
    std::vector<int32_t> labels;
    for (int64_t i : batch) labels.push_back(digits.labels[static_cast<size_t>(i)]);
    return cross_entropy(model(data::to_tensor(digits, batch, normalization)),
                         Tensor::from(labels, {std::ssize(labels)}));
  };
  std::vector<GradientNorms> norms = train(model, kTrainingSteps, 5e-3, 1, loss);
  return {digits.classes, normalization, model, std::move(norms)};
}

TrainedViT load_vit(const std::string& run) {
  const vit::Classifier loaded = vit::load_classifier(examples::RunFolder::open(run));
  return {loaded.classes, loaded.normalization, loaded.model, {}};
}

data::Image drawn_digit() {
  const data::ImageSet digits = data::draw_digits(10, 2);
  const auto pixels = digits.image(kShown);
  return {digits.height, digits.width, digits.channels, {pixels.begin(), pixels.end()}};
}

data::Image picture_for(const Choice& choice, const nn::VisionTransformerOptions& model) {
  if (choice.image.empty() && model.channels != 1) fail(fmt::format("{}: give a picture with --image", choice.run));
  const data::Image image = choice.image.empty() ? drawn_digit() : data::read_image(choice.image, model.channels);
  return data::fit(image, model.image_height, model.image_width);
}

std::vector<std::string> labels(const nn::VisionTransformer& model) {
  std::vector<std::string> result;
  if (model.class_token) result.emplace_back("class");
  for (int64_t row = 0; row < model.patch_rows(); ++row)
    for (int64_t column = 0; column < model.patch_columns(); ++column)
      result.push_back(fmt::format("{}, {}", row, column));
  return result;
}

int32_t largest(const Tensor& logits) { return argmax(logits, -1).data<int32_t>()[0]; }

}  // namespace

Preset make_image(const Choice& choice) {
  const std::string layer = choice.layer.empty() ? "encoder.layer.0.attention" : choice.layer;
  const TrainedViT trained = choice.run.empty() ? train_small(layer) : load_vit(choice.run);
  const nn::VisionTransformer& model = trained.model;
  check_length(choice.run + ": an image", model.tokens(), kLongestImage);
  const data::Image image = picture_for(choice, model.options);
  data::ImageSet one{image.height, image.width, image.channels, image.pixels, {0}, trained.classes};
  const Tensor pixels = data::to_tensor(one, {0}, trained.normalization).to(f64);
  nn::to(model, f64);
  const bool known = choice.run.empty() && choice.image.empty();
  const int32_t target = known ? static_cast<int32_t>(kShown) : largest(model(pixels));

  const std::string source =
      choice.run.empty()
          ? fmt::format("a small vision transformer trained for {} steps on drawn digits", kTrainingSteps)
          : fmt::format("the vision transformer of {}", choice.run);
  const std::string uri = "data:image/png;base64," + examples::base64(data::to_png(image));
  Preset preset{
      .title = "Image",
      .about = fmt::format("A picture in {}; the loss is the cross entropy of the class \"{}\"{}.", source,
                           trained.classes[static_cast<size_t>(target)], known ? "" : ", which the model takes it for"),
      .kind = "image",
      .queries = labels(model),
      .keys = labels(model),
      .picture = Picture{uri, model.patch_rows(), model.patch_columns()},
      .layer = layer,
      .norms = trained.norms};
  const auto loss = [&] { return cross_entropy(model(pixels), Tensor::from(std::vector<int32_t>{target}, {1})); };
  fill(preset, capture(model, loss, preset.layer));
  return preset;
}

}  // namespace mixtape::attention_lab

#include "examples/vit/preset.h"

#include <fmt/format.h>

#include "autograd/files/json.h"
#include "autograd/tensors/error.h"

namespace mixtape::vit {
namespace {

// The paper's layers (Dosovitskiy et al. 2021), without dropout.
nn::BlockOptions block(int64_t width, int64_t heads, int64_t feed_forward, double stochastic_depth = 0) {
  return {.width = width,
          .heads = heads,
          .feed_forward = feed_forward,
          .dropout = 0,
          .attention_dropout = 0,
          .activation = nn::Activation::gelu,
          .stochastic_depth = stochastic_depth};
}

// For the drawn digits and MNIST: a few epochs are enough, in about a minute.
Preset digits() {
  Preset preset{.name = "digits", .batch = 128, .rate = {.peak = 2e-3, .warmup = 100}, .validation = 5000, .epochs = 4};
  preset.model = {
      .image_height = 28, .image_width = 28, .channels = 1, .patch = 7, .block = block(96, 4, 192), .layers = 4};
  return preset;
}

// For Fashion-MNIST: shifts and flips, and regularisation against overfitting in a longer training.
Preset fashion() {
  Preset preset{.name = "fashion-mnist",
                .batch = 128,
                .rate = {.peak = 1.5e-3, .warmup = 500},
                .augment = {.crop_padding = 2, .flip = true, .erasing = 0.2},
                .moving_average = 0.999,
                .validation = 5000,
                .epochs = 30};
  preset.model = {.image_height = 28,
                  .image_width = 28,
                  .channels = 1,
                  .patch = 4,
                  .block = block(128, 4, 256, 0.1),
                  .layers = 5,
                  .stem = nn::Stem::convolution};
  return preset;
}

// For CIFAR-10: a small data set for a transformer, hence a convolutional stem and strong augmentation.
Preset cifar() {
  Preset preset{.name = "cifar10",
                .batch = 128,
                .rate = {.peak = 1.5e-3, .warmup = 500},
                .augment = {.crop_padding = 4, .flip = true, .rand_augment = {.operations = 1, .magnitude = 5}},
                .mixup = 0.2,
                .cutmix = 1,
                .moving_average = 0.999,
                .validation = 1500,
                .epochs = 100};
  preset.model = {.patch = 4,
                  .block = block(128, 4, 256, 0.1),
                  .layers = 6,
                  .pooling = nn::Pooling::mean,
                  .stem = nn::Stem::convolution};
  return preset;
}

void check(const Preset& preset) {
  const auto in_range = [](const char* name, double value, double low, double high) {
    if (!(value >= low && value <= high))
      fail(fmt::format("setting {}: {}, expected {} to {}", name, value, low, high));
  };
  constexpr double kMany = 1e9;
  in_range("batch", static_cast<double>(preset.batch), 1, kMany);
  in_range("weight_decay", preset.weight_decay, 0, kMany);
  in_range("label_smoothing", preset.label_smoothing, 0, 0.99);
  in_range("mixup", preset.mixup, 0, kMany);
  in_range("cutmix", preset.cutmix, 0, kMany);
  in_range("moving_average", preset.moving_average, 0, 1 - 1e-9);
  in_range("validation", static_cast<double>(preset.validation), 0, kMany);
  in_range("best", static_cast<double>(preset.best), 1, kMany);
  in_range("patience", static_cast<double>(preset.patience), 0, kMany);
  in_range("epochs", static_cast<double>(preset.epochs), 1, kMany);
  if (preset.patience > 0 && preset.validation == 0) fail("setting patience: it needs validation images");
  for (const auto& [name, value] : {std::pair{"dropout", preset.model.block.dropout},
                                    {"attention_dropout", preset.model.block.attention_dropout},
                                    {"stochastic_depth", preset.model.block.stochastic_depth}}) {
    in_range(name, value, 0, 0.99);
  }
  check(preset.rate);
  check(preset.augment);
}

// Names of enumerators in settings.
constexpr std::pair<const char*, nn::Pooling> kPoolings[] = {{"class-token", nn::Pooling::class_token},
                                                             {"mean", nn::Pooling::mean}};
constexpr std::pair<const char*, nn::PositionKind> kPositions[] = {{"learned", nn::PositionKind::learned},
                                                                   {"sinusoidal", nn::PositionKind::sinusoidal}};
constexpr std::pair<const char*, nn::Stem> kStems[] = {{"patch", nn::Stem::patch},
                                                       {"convolution", nn::Stem::convolution}};

template <class Kind, size_t count>
std::string name_of(const std::pair<const char*, Kind> (&kinds)[count], Kind kind) {
  for (const auto& [name, value] : kinds)
    if (value == kind) return name;
  return "";
}

template <class Kind, size_t count>
Kind read_kind(const std::pair<const char*, Kind> (&kinds)[count], const examples::Config& config, const char* key) {
  const std::string text = config.text(key);
  std::vector<std::string> names;
  for (const auto& [name, value] : kinds) {
    if (text == name) return value;
    names.emplace_back(name);
  }
  fail(fmt::format("setting {}: {}, expected {}", key, text, fmt::join(names, " or ")));
}

Json to_json(const nn::VisionTransformerOptions& model) {
  return {{"image_height", model.image_height},
          {"image_width", model.image_width},
          {"channels", model.channels},
          {"patch", model.patch},
          {"classes", model.classes},
          {"width", model.block.width},
          {"heads", model.block.heads},
          {"layers", model.layers},
          {"feed_forward", model.block.feed_forward},
          {"dropout", model.block.dropout},
          {"attention_dropout", model.block.attention_dropout},
          {"stochastic_depth", model.block.stochastic_depth},
          {"layer_scale", model.block.layer_scale},
          {"pooling", name_of(kPoolings, model.pooling)},
          {"positions", name_of(kPositions, model.positions)},
          {"stem", name_of(kStems, model.stem)}};
}

nn::VisionTransformerOptions read_model(const examples::Config& config) {
  return {.image_height = config.integer("preset.model.image_height"),
          .image_width = config.integer("preset.model.image_width"),
          .channels = config.integer("preset.model.channels"),
          .patch = config.integer("preset.model.patch"),
          .classes = config.integer("preset.model.classes"),
          .block = {.width = config.integer("preset.model.width"),
                    .heads = config.integer("preset.model.heads"),
                    .feed_forward = config.integer("preset.model.feed_forward"),
                    .dropout = config.number("preset.model.dropout"),
                    .attention_dropout = config.number("preset.model.attention_dropout"),
                    .activation = nn::Activation::gelu,
                    .stochastic_depth = config.number("preset.model.stochastic_depth"),
                    .layer_scale = config.number("preset.model.layer_scale")},
          .layers = config.integer("preset.model.layers"),
          .pooling = read_kind(kPoolings, config, "preset.model.pooling"),
          .positions = read_kind(kPositions, config, "preset.model.positions"),
          .stem = read_kind(kStems, config, "preset.model.stem")};
}

}  // namespace

std::vector<std::string> preset_names() { return {"digits", "fashion-mnist", "cifar10"}; }

Preset find_preset(const std::string& name, const std::string& data) {
  const std::string wanted = !name.empty() ? name : (data == "mnist" ? "digits" : data);
  if (wanted == "digits") return digits();
  if (wanted == "fashion-mnist") return fashion();
  if (wanted == "cifar10") return cifar();
  fail(fmt::format("no preset {}, expected one of {}", wanted, fmt::join(preset_names(), ", ")));
}

Preset with_settings(const Preset& preset, const std::vector<std::string>& changes) {
  return read_preset(examples::Config("--set", {{"preset", examples::with_settings(to_json(preset), changes)}}));
}

Json to_json(const Preset& preset) {
  return {{"name", preset.name},
          {"model", to_json(preset.model)},
          {"batch", preset.batch},
          {"learning_rate", preset.rate.peak},
          {"warmup", preset.rate.warmup},
          {"schedule", preset.rate.name},
          {"weight_decay", preset.weight_decay},
          {"label_smoothing", preset.label_smoothing},
          {"augment",
           {{"crop_padding", preset.augment.crop_padding},
            {"flip", preset.augment.flip},
            {"operations", preset.augment.rand_augment.operations},
            {"magnitude", preset.augment.rand_augment.magnitude},
            {"erasing", preset.augment.erasing}}},
          {"mixup", preset.mixup},
          {"cutmix", preset.cutmix},
          {"moving_average", preset.moving_average},
          {"validation", preset.validation},
          {"best", preset.best},
          {"patience", preset.patience},
          {"epochs", preset.epochs}};
}

Preset read_preset(const examples::Config& config) {
  Preset preset{
      .name = config.text("preset.name"),
      .model = read_model(config),
      .batch = config.integer("preset.batch"),
      .rate = {.name = config.text("preset.schedule"),
               .peak = config.number("preset.learning_rate"),
               .warmup = config.integer("preset.warmup")},
      .weight_decay = config.number("preset.weight_decay"),
      .label_smoothing = config.number("preset.label_smoothing"),
      .augment = {.crop_padding = config.integer("preset.augment.crop_padding"),
                  .flip = config.flag("preset.augment.flip"),
                  .rand_augment = {.operations = static_cast<int>(config.integer("preset.augment.operations")),
                                   .magnitude = config.number("preset.augment.magnitude")},
                  .erasing = config.number("preset.augment.erasing")},
      .mixup = config.number("preset.mixup"),
      .cutmix = config.number("preset.cutmix"),
      .moving_average = config.number("preset.moving_average"),
      .validation = config.integer("preset.validation"),
      .best = config.integer("preset.best"),
      .patience = config.integer("preset.patience"),
      .epochs = config.integer("preset.epochs")};
  check(preset);
  return preset;
}

}  // namespace mixtape::vit

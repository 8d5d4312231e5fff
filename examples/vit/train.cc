#include "examples/vit/train.h"

#include <fmt/format.h>

#include <optional>

#include "autograd/files/json.h"
#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/threads.h"
#include "data/image_batches.h"
#include "examples/common/plan.h"
#include "examples/common/training.h"
#include "examples/vit/images.h"
#include "examples/vit/inference.h"
#include "examples/vit/preset.h"
#include "examples/vit/report.h"
#include "optim/adamw.h"

namespace mixtape::vit {
namespace {

using examples::RunFolder;
using examples::TrainOptions;

constexpr uint64_t kHeldOutSeed = 1;  // the same images in every run, for any seed

// What determines a run. Fixed when it begins.
struct Plan {
  examples::Plan common;
  Preset preset;
};

struct Run {
  Plan plan;
  std::optional<RunFolder> folder;  // of a new run: created once data and settings are known to be valid
  bool begun = false;
};

Run prepare(const TrainOptions& options) {
  std::optional<RunFolder> folder;
  if (options.resume) folder = RunFolder::resume(options.out);
  if (folder && folder->has_config()) {
    const examples::Config config = folder->read_config();
    return {{examples::read_plan(config, "vit", options), read_preset(config)}, std::move(folder), true};
  }
  const Preset preset = with_settings(find_preset(options.preset, options.data), options.settings);
  return {{examples::new_plan(options, preset.epochs), preset}, std::move(folder)};
}

// The sizes of the model that follow from the data, whatever the preset.
void fit_to(Preset& preset, const data::ImageSet& images) {
  preset.model.image_height = images.height;
  preset.model.image_width = images.width;
  preset.model.channels = images.channels;
  preset.model.classes = static_cast<int64_t>(images.classes.size());
}

RunFolder start(const TrainOptions& options, Run& run, const std::vector<std::string>& classes,
                const data::Normalization& normalization) {
  RunFolder folder = run.folder ? std::move(*run.folder) : RunFolder::create(options.out);
  Json values = to_json(run.plan.common, "vit");
  values["preset"] = to_json(run.plan.preset);
  values["classes"] = Json::Array(classes.begin(), classes.end());
  values["mean"] = Json::Array(normalization.mean.begin(), normalization.mean.end());
  values["deviation"] = Json::Array(normalization.deviation.begin(), normalization.deviation.end());
  folder.write_config(values);
  return folder;
}

// Weight decay only for matrices: not for biases, norms, positions and the class token.
optim::Groups without_decay(const NamedTensors& parameters) {
  optim::Groups groups;
  for (const char* pattern : {"*.bias", "*norm*", "*scale*", "class_token", "positions*"}) {
    const bool fits = std::any_of(parameters.begin(), parameters.end(),
                                  [&](const NamedTensor& x) { return matches(x.name, pattern); });
    if (fits) groups.push_back({pattern, {.weight_decay = 0}});
  }
  return groups;
}

data::ImageBatchOptions batch_options(const Plan& plan, int64_t epoch, int64_t first) {
  return {.images = plan.preset.batch,
          .seed = plan.common.seed,
          .epoch = epoch,
          .first = first,
          .augment = plan.preset.augment,
          .mixup = plan.preset.mixup,
          .cutmix = plan.preset.cutmix};
}

Tensor loss_of(const nn::VisionTransformer& model, const data::ImageBatch& batch, double label_smoothing) {
  const Tensor logits = model(batch.images);
  if (batch.targets) return soft_cross_entropy(logits, batch.targets, {.label_smoothing = label_smoothing});
  return cross_entropy(logits, batch.labels, {.label_smoothing = label_smoothing});
}

void conclude(const RunFolder& run, const data::ImageSet& held_out, const data::ImageSet& train,
              const TrainOptions& options) {
  const Classifier classifier = load_classifier(run);
  const bool validated = held_out.size() > 0;
  const data::ImageSet& images = validated ? held_out : train;
  const char* part = validated ? "validation images" : "training images";
  const data::Classification result = classify(classifier.model, images, classifier.normalization);
  write_report(run, classifier, images, part, result);
  fmt::print("{} {}\nloss {:.4f}\naccuracy {:.4f}\nreport: {}\n", result.count(), part, result.loss(),
             result.accuracy(), run.report());
  fmt::print("on the test part: vit evaluate --run {} --data {}{}\n", options.out, options.data,
             options.data_dir.empty() ? "" : " --data-dir " + options.data_dir);
}

}  // namespace

void run_train(const TrainOptions& options, double started) {
  if (options.threads) set_threads(static_cast<int>(*options.threads));
  if (!options.resume) RunFolder::expect_none(options.out);
  Run prepared = prepare(options);
  const data::ImageSet all = read_images(options.data, options.data_dir, "train");
  if (!prepared.begun) fit_to(prepared.plan.preset, all);
  const Plan& plan = prepared.plan;
  const Preset& preset = plan.preset;
  const auto [train, held_out] = data::hold_out(all, preset.validation, kHeldOutSeed);
  const data::Normalization normalization = data::normalization_of(train);
  const auto epoch_steps =
      static_cast<int64_t>(data::plan_image_batches(train.size(), batch_options(plan, 0, 0)).size());

  Random random(plan.common.seed);
  const nn::VisionTransformer model(preset.model, random);
  const NamedTensors parameters = nn::parameters(model), tensors = nn::named_tensors(model);
  optim::AdamW optimizer(
      parameters,
      {.learning_rate = preset.rate.peak, .weight_decay = preset.weight_decay, .groups = without_decay(parameters)});
  optim::CheckpointAverage average(preset.best, preset.validation > 0 ? optim::Select::best : optim::Select::last);
  std::optional<optim::MovingAverage> moving_average;
  if (preset.moving_average > 0)
    moving_average.emplace(tensors, optim::MovingAverageOptions{preset.moving_average, true});
  RunFolder run = prepared.begun ? std::move(*prepared.folder) : start(options, prepared, all.classes, normalization);
  if (!prepared.begun) {
    fmt::print(stderr, "{} training images, {} held out, {} parameters, {} threads, {}\n", train.size(),
               held_out.size(), count_elements(parameters), threads(), instruction_set());
  }
  const examples::Training training{
      .run = run,
      .tensors = tensors,
      .optimizer = optimizer,
      .average = average,
      .moving_average = moving_average ? &*moving_average : nullptr,
      .seed = plan.common.seed,
      .dtype = plan.common.dtype,
      .unit = "images",
      .epoch =
          [&](int64_t epoch, int64_t first, const auto& step) {
            auto batches = data::image_batches(train, normalization, batch_options(plan, epoch, first));
            for (const data::ImageBatch& batch : batches) {
              const auto forward = [&] {
                return examples::StepLoss{loss_of(model, batch, preset.label_smoothing), batch.images.size(0)};
              };
              if (!step(forward)) break;
            }
            return first + batches.size();
          },
      .learning_rate = preset.rate,
      .evaluate =
          [&] {
            std::map<std::string, double> values;
            if (held_out.size() == 0) return values;
            const data::Classification result = classify(model, held_out, normalization);
            return std::map<std::string, double>{{"val_loss", result.loss()}, {"accuracy", result.accuracy()}};
          },
      .score = "accuracy",
      .patience = preset.patience,
      .steps = plan.common.steps > 0 ? plan.common.steps : plan.common.epochs * epoch_steps,
      .minutes = plan.common.minutes,
      .epoch_steps = epoch_steps,
      .conclusion = 2,
      .started = started,
      .checkpoint_seconds = options.checkpoint_seconds,
      .resume_command = examples::resume_command("vit", options)};
  examples::train(training, options.resume);
  conclude(run, held_out, train, options);
}

}  // namespace mixtape::vit

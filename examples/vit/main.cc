#include <fmt/format.h>

#include "autograd/files/json.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/threads.h"
#include "data/image_file.h"
#include "examples/common/command_line.h"
#include "examples/common/training.h"
#include "examples/vit/figures.h"
#include "examples/vit/images.h"
#include "examples/vit/inference.h"
#include "examples/vit/train.h"

namespace mixtape::vit {
namespace {

struct Options {
  examples::TrainOptions train;
  std::string run, data, data_dir, part = "test", out;
  std::vector<std::string> pictures;
  std::optional<int64_t> threads;
};

Classifier load(const Options& options) {
  if (options.threads) set_threads(static_cast<int>(*options.threads));
  return load_classifier(examples::RunFolder::open(options.run));
}

void check_fits(const Classifier& classifier, const data::ImageSet& images, const Options& options) {
  const nn::VisionTransformerOptions& model = classifier.preset.model;
  if (images.height == model.image_height && images.width == model.image_width && images.channels == model.channels &&
      std::ssize(images.classes) == model.classes) {
    return;
  }
  fail(fmt::format("--data {}: {} x {} x {} images of {} classes, {} takes {} x {} x {} of {}", options.data,
                   images.height, images.width, images.channels, images.classes.size(), options.run, model.image_height,
                   model.image_width, model.channels, model.classes));
}

void run_evaluate(const Options& options) {
  const Classifier classifier = load(options);
  const data::ImageSet images = read_images(options.data, options.data_dir, options.part);
  check_fits(classifier, images, options);
  const data::Classification result = classify(classifier.model, images, classifier.normalization);
  const Json line{{"accuracy", result.accuracy()}, {"loss", result.loss()}, {"images", result.count()}};
  fmt::print("{}\n", to_text(line));
}

void run_predict(const Options& options) {
  const Classifier classifier = load(options);
  std::vector<Prediction> predictions;  // all before the first line: a bad image must not leave partial output
  for (const std::string& path : options.pictures)
    predictions.push_back(predict(classifier, data::read_image(path, classifier.preset.model.channels)));
  for (size_t i = 0; i < predictions.size(); ++i)
    fmt::print("{}\t{}\t{:.4f}\n", options.pictures[i], predictions[i].label, predictions[i].probability);
}

void setup(examples::Command& program, double started) {
  static Options options;
  examples::Command train = program.subcommand("train", "Trains an image classifier and writes it to a run folder.");
  examples::add_train_options(train, options.train, data_names(), preset_names());
  train.run([started] { run_train(options.train, started); });

  const auto trained = [](examples::Command& command) {
    command.option("--run", options.run, "run folder of a finished training").required();
    command.option("--threads", options.threads, "threads; all cores if not given")
        .check(examples::whole_number(1, 1024));
  };
  examples::Command evaluate = program.subcommand("evaluate", "Classifies a part of a data set; prints JSON.");
  trained(evaluate);
  evaluate.option("--data", options.data, "data set").required().one_of(data_names());
  evaluate.option("--data-dir", options.data_dir, "folder that holds the data set");
  evaluate.option("--split", options.part, "part of it").one_of({"train", "test"});
  evaluate.run([] { run_evaluate(options); });

  examples::Command predict = program.subcommand("predict", "Prints file, label and probability of pictures.");
  trained(predict);
  predict.option("images", options.pictures, "PNG or JPEG files of any size").required();
  predict.run([] { run_predict(options); });

  examples::Command figures = program.subcommand("figures", "Draws the figures of the README, from a run on digits.");
  trained(figures);
  figures.option("--out", options.out, "folder that gets them").required();
  figures.run([] { write_figures(load(options), options.out); });
}

}  // namespace
}  // namespace mixtape::vit

int main(int argc, char** argv) {
  const double started = mixtape::examples::seconds_now();
  return mixtape::examples::run_program(
      "vit", "Trains small vision transformers on this machine's CPU, and classifies images with them.", argc, argv,
      [started](mixtape::examples::Command& program) { mixtape::vit::setup(program, started); });
}

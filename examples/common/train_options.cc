#include "examples/common/train_options.h"

#include <CLI/CLI.hpp>

#include "examples/common/command_line.h"

namespace mixtape::examples {
namespace {

constexpr int64_t kMostThreads = 1024;

}  // namespace

void add_train_options(CLI::App& command, TrainOptions& options, const std::vector<std::string>& data_names,
                       const std::vector<std::string>& presets) {
  command.add_option("--data", options.data, "data set")->required()->check(CLI::IsMember(data_names));
  command.add_option("--data-dir", options.data_dir, "folder that holds the data set");
  command.add_option("--out", options.out, "run folder: a new one, or with --resume one to go on with")->required();
  CLI::Option* epochs = command.add_option("--epochs", options.epochs, "stop after N passes over the data in total");
  CLI::Option* steps = command.add_option("--steps", options.steps, "stop after N optimizer steps in total");
  CLI::Option* minutes = command.add_option("--minutes", options.minutes, "fit the whole command into M minutes");
  epochs->check(whole_number(1))->excludes(steps)->excludes(minutes);
  steps->check(whole_number(1))->excludes(minutes);
  minutes->check(positive_number());
  command.add_option("--threads", options.threads, "threads; all cores if not given")
      ->check(whole_number(1, kMostThreads));
  command.add_option("--seed", options.seed, "seed of everything random")
      ->capture_default_str()
      ->check(whole_number(0));
  command.add_option("--dtype", options.dtype, "number format")
      ->capture_default_str()
      ->check(CLI::IsMember({"f32", "bf16"}));
  if (!presets.empty()) {
    command.add_option("--preset", options.preset, "named settings")->check(CLI::IsMember(presets));
    command.add_option("--set", options.settings, "NAME=VALUE: change a setting of the preset; can be repeated")
        ->allow_extra_args(false);
  }
  command.add_option("--checkpoint-seconds", options.checkpoint_seconds, "how often the state is saved for --resume")
      ->capture_default_str()
      ->check(positive_number());
  command.add_flag("--resume", options.resume, "go on with the run in --out");
}

}  // namespace mixtape::examples

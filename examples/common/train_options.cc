#include "examples/common/train_options.h"

#include <fmt/format.h>

#include "examples/common/command_line.h"

namespace mixtape::examples {
namespace {

constexpr int64_t kMostThreads = 1024;

}  // namespace

void add_train_options(Command& command, TrainOptions& options, const std::vector<std::string>& data_names,
                       const std::vector<std::string>& presets) {
  command.option("--data", options.data, "data set").required().one_of(data_names);
  command.option("--data-dir", options.data_dir, "folder that holds the data set");
  command.option("--out", options.out, "run folder: a new one, or, with --resume, that of the run to resume")
      .required();
  Option epochs = command.option("--epochs", options.epochs, "stop after N passes over the data in total");
  Option steps = command.option("--steps", options.steps, "stop after N optimizer steps in total");
  Option minutes = command.option("--minutes", options.minutes, "fit the whole command into M minutes");
  epochs.check(whole_number(1)).excludes(steps).excludes(minutes);
  steps.check(whole_number(1)).excludes(minutes);
  minutes.check(positive_number());
  command.option("--threads", options.threads, "threads; all cores if not given").check(whole_number(1, kMostThreads));
  command.option("--seed", options.seed, "seed of everything random").check(whole_number(0));
  command.option("--dtype", options.dtype, "compute precision of matrix products; f32 if not given")
      .one_of({"f32", "bf16"});
  if (!presets.empty()) {
    command.option("--preset", options.preset, "named settings").one_of(presets);
    command.option("--set", options.settings, "NAME=VALUE: change a setting of the preset; can be repeated");
  }
  command.option("--checkpoint-seconds", options.checkpoint_seconds, "how often the state is saved for --resume")
      .check(positive_number());
  command.flag("--resume", options.resume, "resume the run in --out");
}

std::string resume_command(const std::string& program, const TrainOptions& options) {
  return fmt::format("{} train --data {}{} --out {} --resume", program, options.data,
                     options.data_dir.empty() ? "" : " --data-dir " + options.data_dir, options.out);
}

}  // namespace mixtape::examples

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mixtape::examples {

class Command;

/// The options of every `train` command.
struct TrainOptions {
  std::string data;                ///< name of the data set
  std::string data_dir;            ///< its folder, where it needs one
  std::string out;                 ///< the run folder
  std::optional<int64_t> epochs;   ///< at most one of epochs, steps and minutes; totals, also on a resume
  std::optional<int64_t> steps;    ///< optimizer steps
  std::optional<double> minutes;   ///< for the whole command
  std::optional<int64_t> threads;  ///< all cores if not given
  uint64_t seed = 42;
  std::string dtype;   ///< compute precision of products: f32 or bf16; empty: f32, or that of the resumed run
  std::string preset;  ///< empty: the program's default for the data
  std::vector<std::string> settings;  ///< `NAME=VALUE`: changes to the preset
  double checkpoint_seconds = 30;
  bool resume = false;
};

/// Adds `--data --data-dir --out --epochs | --steps | --minutes --threads --seed --dtype --preset --set
/// --checkpoint-seconds --resume` to `command`, with checks of their values. `data_names` and `presets` are the values
/// of
/// --data and --preset; without presets there is no --preset and no --set. `options` must live until the command line
/// has been read.
void add_train_options(Command& command, TrainOptions& options, const std::vector<std::string>& data_names,
                       const std::vector<std::string>& presets);

/// The command that resumes such a run.
std::string resume_command(const std::string& program, const TrainOptions& options);

}  // namespace mixtape::examples

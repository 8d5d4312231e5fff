#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "data/toy_translation.h"
#include "tests/temporary_folder.h"

namespace mixtape::tests {

/// Puts `train` and `val` sentence pairs of the corpus that ships into `folder` as TSV files.
inline void write_pairs(const TemporaryFolder& folder, size_t train, size_t val) {
  static const data::ToyCorpus corpus = data::toy_translation();
  const auto part = [](const data::ParallelText& text, size_t count) {
    std::string lines;
    for (size_t i = 0; i < count; ++i)
      lines += fmt::format("{}\t{}\n", text.pairs.at(i).source, text.pairs.at(i).target);
    return lines;
  };
  std::filesystem::create_directories(folder.file("data"));
  folder.write("data/train.tsv", part(corpus.train, train));
  folder.write("data/val.tsv", part(corpus.validation, val));
}

/// `translator train` with a model that takes a few milliseconds a step, on the data of write_pairs, into `run`.
inline std::vector<std::string> small_training(const TemporaryFolder& folder, const std::string& run,
                                               const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"translator",        "train", "--data",        "tsv", "--data-dir",
                                     folder.file("data"), "--out", folder.file(run)};
  for (const char* setting : {"vocab=400", "tokens=400", "warmup=20", "average=2", "beam=2", "model.width=32",
                              "model.layers=2", "model.feed_forward=64"}) {
    arguments.insert(arguments.end(), {"--set", setting});
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// The same run, gone on with.
inline std::vector<std::string> small_resume(const TemporaryFolder& folder, const std::string& run,
                                             const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"translator",        "train",    "--data", "tsv",           "--data-dir",
                                     folder.file("data"), "--resume", "--out",  folder.file(run)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace mixtape::tests

#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "data/digits.h"
#include "data/toy_translation.h"
#include "tests/temporary_folder.h"

namespace mixtape::tests {

using Arguments = std::vector<std::string>;

/// A program with data of its own and a model so small that a step takes a few milliseconds.
struct SmallTraining {
  std::string program;
  std::string data;                                                 ///< for --data
  Arguments settings;                                               ///< for --set
  void (*write_data)(const TemporaryFolder& folder, size_t count);  ///< `count` examples into folder/data

  /// `train` into the run folder of that name.
  Arguments start(const TemporaryFolder& folder, const std::string& run, const Arguments& more) const {
    Arguments arguments = command(folder, run);
    for (const std::string& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  /// The same run, gone on with.
  Arguments resume(const TemporaryFolder& folder, const std::string& run, const Arguments& more = {}) const {
    Arguments arguments = command(folder, run);
    arguments.emplace_back("--resume");
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

 private:
  Arguments command(const TemporaryFolder& folder, const std::string& run) const {
    return {program, "train", "--data", data, "--data-dir", folder.file("data"), "--out", folder.file(run)};
  }
};

/// Sentence pairs of the corpus that ships as TSV files; a sixteenth to validate with.
inline void write_pairs(const TemporaryFolder& folder, size_t count) {
  static const data::ToyCorpus corpus = data::toy_translation();
  const auto part = [](const data::ParallelText& text, size_t size) {
    std::string lines;
    for (size_t i = 0; i < size; ++i)
      lines += fmt::format("{}\t{}\n", text.pairs.at(i).source, text.pairs.at(i).target);
    return lines;
  };
  std::filesystem::create_directories(folder.file("data"));
  folder.write("data/train.tsv", part(corpus.train, count));
  folder.write("data/val.tsv", part(corpus.validation, count / 16));
}

/// Drawn digits as the files of MNIST, to train and to test.
inline void write_digits(const TemporaryFolder& folder, size_t count) {
  const data::ImageSet digits = data::draw_digits(static_cast<int64_t>(count), 1);
  const auto word = [](size_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
    return bytes;
  };
  std::filesystem::create_directories(folder.file("data"));
  for (const std::string part : {"train", "t10k"}) {
    folder.write("data/" + part + "-images-idx3-ubyte", word(0x803) + word(count) + word(28) + word(28) +
                                                            std::string(digits.pixels.begin(), digits.pixels.end()));
    folder.write("data/" + part + "-labels-idx1-ubyte",
                 word(0x801) + word(count) + std::string(digits.labels.begin(), digits.labels.end()));
  }
}

inline const SmallTraining kSmallTranslator{"translator",
                                            "tsv",
                                            {"vocab=400", "tokens=400", "warmup=20", "average=2", "beam=2",
                                             "model.width=32", "model.layers=2", "model.feed_forward=64"},
                                            write_pairs};

/// With every random change to images and layers that there is.
inline const SmallTraining kSmallVit{"vit",
                                     "mnist",
                                     {"batch=16",
                                      "warmup=20",
                                      "validation=20",
                                      "best=2",
                                      "moving_average=0.9",
                                      "mixup=0.2",
                                      "cutmix=1",
                                      "augment.crop_padding=2",
                                      "augment.flip=true",
                                      "augment.operations=1",
                                      "augment.erasing=0.3",
                                      "model.stem=convolution",
                                      "model.patch=4",
                                      "model.width=16",
                                      "model.heads=2",
                                      "model.layers=2",
                                      "model.feed_forward=32",
                                      "model.dropout=0.1",
                                      "model.stochastic_depth=0.2",
                                      "model.layer_scale=0.1"},
                                     write_digits};

}  // namespace mixtape::tests

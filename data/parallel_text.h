#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mixtape::data {

/// A sentence and its translation, UTF-8.
struct SentencePair {
  std::string source, target;
};

/// Sentence pairs in the order of their files.
struct ParallelText {
  std::vector<SentencePair> pairs;
};

/// The parts of a data set as published. A part that it does not have is empty.
struct ParallelSplits {
  ParallelText train, val, test;
};

/// Reads a file of lines `source TAB target`, plain or .gz. Throws what read_lines throws, and at a line that does not
/// have exactly one TAB.
ParallelText read_parallel_text(const std::filesystem::path& tsv);

/// Reads two files, plain or .gz, whose lines are translations of each other; an empty line is an empty sentence.
/// Throws what read_lines throws, and when one file has more lines than the other.
ParallelText read_parallel_text(const std::filesystem::path& source, const std::filesystem::path& target);

/// Reads Multi30k as published (Elliott et al. 2016, https://github.com/multi30k/dataset): `train`, `val` and
/// `test_2016_flickr`, each as `.LANGUAGE.gz`, or unpacked as `.LANGUAGE`. `pair` is the direction, such as `en-de`.
ParallelSplits read_multi30k(const std::filesystem::path& folder, std::string_view pair = "en-de");

/// Reads a folder with `train.tsv` and, where they are there, `val.tsv` and `test.tsv` (see read_parallel_text). Each
/// may be compressed: `train.tsv.gz`.
ParallelSplits read_tsv_folder(const std::filesystem::path& folder);

/// All sentences, each source followed by its target: what a vocabulary shared by both languages is trained on.
std::vector<std::string> all_sentences(const ParallelText& text);

}  // namespace mixtape::data

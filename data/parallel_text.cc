#include "data/parallel_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "autograd/tensors/error.h"
#include "data/text_file.h"

namespace mixtape::data {
namespace {

namespace fs = std::filesystem;

std::pair<std::string, std::string> split_languages(std::string_view pair) {
  auto is_language = [](std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) { return c >= 'a' && c <= 'z'; });
  };
  const size_t dash = std::min(pair.find('-'), pair.size());
  const std::string_view source = pair.substr(0, dash);
  const std::string_view target = pair.substr(std::min(dash + 1, pair.size()));
  if (!is_language(source) || !is_language(target) || source == target) {
    fail(fmt::format("language pair: got '{}', expected two different languages such as en-de", pair));
  }
  return {std::string(source), std::string(target)};
}

}  // namespace

ParallelText read_parallel_text(const fs::path& tsv) {
  const std::vector<std::string> lines = read_lines(tsv);
  ParallelText text;
  text.pairs.reserve(lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    const auto tabs = std::ranges::count(line, '\t');
    if (tabs != 1) fail(fmt::format("{}:{}: expected source TAB target, got {} TABs", tsv.string(), i + 1, tabs));
    const size_t tab = line.find('\t');
    text.pairs.push_back({line.substr(0, tab), line.substr(tab + 1)});
  }
  return text;
}

ParallelText read_parallel_text(const fs::path& source, const fs::path& target) {
  std::vector<std::string> sources = read_lines(source);
  std::vector<std::string> targets = read_lines(target);
  if (sources.size() != targets.size()) {
    fail(fmt::format("parallel text: {} has {} lines, {} has {}", source.string(), sources.size(), target.string(),
                     targets.size()));
  }
  ParallelText text;
  text.pairs.reserve(sources.size());
  for (size_t i = 0; i < sources.size(); ++i) text.pairs.push_back({std::move(sources[i]), std::move(targets[i])});
  return text;
}

ParallelSplits read_multi30k(const fs::path& folder, std::string_view pair) {
  const auto [source, target] = split_languages(pair);
  auto read_part = [&](const std::string& part) {
    return read_parallel_text(require_plain_or_gz(folder, part + "." + source),
                              require_plain_or_gz(folder, part + "." + target));
  };
  return {read_part("train"), read_part("val"), read_part("test_2016_flickr")};
}

ParallelSplits read_tsv_folder(const fs::path& folder) {
  auto read_optional = [&](const std::string& name) {
    const auto path = find_plain_or_gz(folder, name);
    return path ? read_parallel_text(*path) : ParallelText{};
  };
  ParallelText train = read_parallel_text(require_plain_or_gz(folder, "train.tsv"));
  return {std::move(train), read_optional("val.tsv"), read_optional("test.tsv")};
}

std::vector<std::string> all_sentences(const ParallelText& text) {
  std::vector<std::string> sentences;
  sentences.reserve(text.pairs.size() * 2);
  for (const SentencePair& pair : text.pairs) {
    sentences.push_back(pair.source);
    sentences.push_back(pair.target);
  }
  return sentences;
}

}  // namespace mixtape::data

#include "data/parallel_text.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>

#include "autograd/tensors/error.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using tests::TemporaryFolder;

TEST_CASE("parallel_text: two files, line by line") {
  const TemporaryFolder folder;
  const auto english = folder.write("a.en", "a dog\n\na cat\n");
  const auto german = folder.write("a.de", "ein Hund\r\n\r\neine Katze");
  const data::ParallelText text = data::read_parallel_text(english, german);
  REQUIRE(text.pairs.size() == 3);
  CHECK(text.pairs[0].source == "a dog");
  CHECK(text.pairs[0].target == "ein Hund");
  CHECK(text.pairs[1].source.empty());
  CHECK(text.pairs[2].target == "eine Katze");
  CHECK(data::all_sentences(text) == std::vector<std::string>{"a dog", "ein Hund", "", "", "a cat", "eine Katze"});
}

TEST_CASE("parallel_text: files of different length are refused with both counts") {
  const TemporaryFolder folder;
  const auto english = folder.write("a.en", "one\ntwo\nthree\n");
  const auto german = folder.write("a.de", "eins\nzwei\n");
  CHECK_THROWS_WITH_AS(data::read_parallel_text(english, german),
                       fmt::format("parallel text: {} has 3 lines, {} has 2", english, german).c_str(), Error);
}

TEST_CASE("parallel_text: a TSV line has one TAB") {
  const TemporaryFolder folder;
  const data::ParallelText text =
      data::read_parallel_text(folder.write("good.tsv", "a dog\tein Hund\r\na cat\teine Katze\n"));
  REQUIRE(text.pairs.size() == 2);
  CHECK(text.pairs[1].source == "a cat");
  CHECK(text.pairs[0].target == "ein Hund");

  const auto none = folder.write("none.tsv", "a\tb\n\nc\td\n");
  CHECK_THROWS_WITH_AS(data::read_parallel_text(none),
                       fmt::format("{}:2: expected source TAB target, got 0 TABs", none).c_str(), Error);
  const auto three = folder.write("three.tsv", "a\tb\tc\n");
  CHECK_THROWS_WITH_AS(data::read_parallel_text(three),
                       fmt::format("{}:1: expected source TAB target, got 2 TABs", three).c_str(), Error);
}

TEST_CASE("parallel_text: a folder of TSV files needs train.tsv only") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(data::read_tsv_folder(folder.path()),
                       fmt::format("{}: neither train.tsv.gz nor train.tsv is in this folder", folder.path()).c_str(),
                       Error);
  folder.write("train.tsv", "a\tb\nc\td\n");
  CHECK(data::read_tsv_folder(folder.path()).train.pairs.size() == 2);
  CHECK(data::read_tsv_folder(folder.path()).val.pairs.empty());
  folder.write("val.tsv", "e\tf\n");
  folder.write("test.tsv", "g\th\n");
  const data::ParallelSplits splits = data::read_tsv_folder(folder.path());
  CHECK(splits.val.pairs.at(0).source == "e");
  CHECK(splits.test.pairs.at(0).target == "h");
  CHECK_THROWS_AS(data::read_tsv_folder(folder.file("none")), Error);
}

TEST_CASE("parallel_text: Multi30k unpacked, in both directions") {
  const TemporaryFolder folder;
  for (const std::string part : {"train", "val", "test_2016_flickr"}) {
    folder.write(part + ".en", part + "\n");
    folder.write(part + ".de", part + " auf Deutsch\n");
  }
  const data::ParallelSplits splits = data::read_multi30k(folder.path(), "de-en");
  CHECK(splits.train.pairs.at(0).source == "train auf Deutsch");
  CHECK(splits.val.pairs.at(0).target == "val");
  CHECK(splits.test.pairs.at(0).target == "test_2016_flickr");

  CHECK_THROWS_WITH_AS(data::read_multi30k(folder.path(), "en-fr"),
                       fmt::format("{}: neither train.fr.gz nor train.fr is in this folder", folder.path()).c_str(),
                       Error);
  for (const char* pair : {"", "en", "en-", "-de", "en-en", "en-de-fr", "../x-de"}) {
    CAPTURE(pair);
    CHECK_THROWS_AS(data::read_multi30k(folder.path(), pair), Error);
  }
}

TEST_CASE("parallel_text: Multi30k as published") {
  const char* folder = std::getenv("MIXTAPE_DATA");
  if (folder == nullptr) {
    MESSAGE("skipped: MIXTAPE_DATA names no folder with multi30k/");
    return;
  }
  const data::ParallelSplits splits = data::read_multi30k(std::filesystem::path(folder) / "multi30k", "en-de");
  CHECK(splits.train.pairs.size() == 29'000);
  CHECK(splits.val.pairs.size() == 1'014);
  CHECK(splits.test.pairs.size() == 1'000);
  CHECK(splits.train.pairs[0].source == "Two young, White males are outside near many bushes.");
  CHECK(splits.train.pairs[0].target == "Zwei junge weiße Männer sind im Freien in der Nähe vieler Büsche.");
}

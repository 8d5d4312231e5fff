#include "data/cifar10.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "autograd/tensors/error.h"
#include "tests/data/image_bytes.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using tests::TemporaryFolder;

TEST_CASE("cifar10: files in the order of their names, planes become pixels") {
  const TemporaryFolder folder;
  folder.write("data_batch_2_part.bin", tests::cifar10({9}));
  folder.write("data_batch_1.bin", tests::cifar10({3, 0}));
  folder.write("test_batch.bin", tests::cifar10({1}));
  folder.write("batches.meta.txt", "airplane\n");

  const data::ImageSet train = data::read_cifar10(folder.path(), "train");
  CHECK(train.labels == std::vector<int32_t>{3, 0, 9});
  CHECK(train.image_bytes() == 3072);
  CHECK(train.classes.size() == 10);
  CHECK(train.classes.at(3) == "cat");
  REQUIRE(train.pixels.size() == 3 * 3072);
  for (size_t i = 0; i < train.pixels.size(); ++i) CHECK(train.pixels[i] == i % 3);
  CHECK(data::read_cifar10(folder.path(), "test").labels == std::vector<int32_t>{1});
  CHECK_THROWS_WITH_AS(data::read_cifar10(folder.path(), "all"),
                       "CIFAR-10: there is no part 'all', expected train or test", Error);
}

TEST_CASE("cifar10: the pixels of a plane are rows") {
  const TemporaryFolder folder;
  std::string record = tests::cifar10({0});
  record[1 + 2 * 1024 + 5 * 32 + 7] = 100;  // blue, row 5, column 7
  folder.write("test_batch.bin", record);
  const data::ImageSet set = data::read_cifar10(folder.path(), "test");
  CHECK(set.pixels[(5 * 32 + 7) * 3 + 2] == 100);
  CHECK(std::ranges::count(set.pixels, 100) == 1);
}

TEST_CASE("cifar10: the images as published") {
  const char* folder = std::getenv("MIXTAPE_DATA");
  if (folder == nullptr) {
    MESSAGE("skipped: MIXTAPE_DATA names no folder with cifar10/");
    return;
  }
  const std::filesystem::path cifar10 = std::filesystem::path(folder) / "cifar10";
  const data::ImageSet train = data::read_cifar10(cifar10, "train");
  const data::ImageSet test = data::read_cifar10(cifar10, "test");
  std::uintmax_t bytes = 0;  // there may be fewer files than the five that were published
  for (const auto& entry : std::filesystem::directory_iterator(cifar10)) {
    if (entry.path().filename().string().starts_with("data_batch_")) bytes += entry.file_size();
  }
  CHECK(train.size() == static_cast<int64_t>(bytes / 3073));
  CHECK(train.size() >= 10'000);
  CHECK(train.labels[0] == 6);  // a frog
  CHECK(std::vector<uint8_t>(train.pixels.begin(), train.pixels.begin() + 3) == std::vector<uint8_t>{59, 62, 63});
  CHECK(test.size() == 10'000);
  for (int32_t label = 0; label < 10; ++label) CHECK(std::ranges::count(test.labels, label) == 1'000);
}

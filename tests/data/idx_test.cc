#include "data/idx.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "autograd/tensors/error.h"
#include "data/mnist.h"
#include "tests/data/image_bytes.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using namespace std::string_literals;
using tests::TemporaryFolder;

TEST_CASE("idx: pictures and labels") {
  const TemporaryFolder folder;
  const std::string images = folder.write("images", tests::idx({2, 2, 3}, "abcdefghijkl"));
  const std::string labels = folder.write("labels", tests::idx({2}, "\1\0"s));
  const data::ImageSet set = data::read_idx(images, labels, {"no", "yes"});
  CHECK(set.size() == 2);
  CHECK(set.height == 2);
  CHECK(set.width == 3);
  CHECK(set.channels == 1);
  CHECK(set.labels == std::vector<int32_t>{1, 0});
  CHECK(set.classes == std::vector<std::string>{"no", "yes"});
  const auto second = set.image(1);
  CHECK(std::string(second.begin(), second.end()) == "ghijkl");
}

TEST_CASE("mnist: each part has its files, plain or packed") {
  const TemporaryFolder folder;
  folder.write("train-images-idx3-ubyte.gz", tests::gzip(tests::idx({2, 1, 1}, "ab")));
  folder.write("train-labels-idx1-ubyte", tests::idx({2}, "\7\x9"));
  folder.write("t10k-images-idx3-ubyte", tests::idx({1, 1, 1}, "c"));
  folder.write("t10k-labels-idx1-ubyte.gz", tests::gzip(tests::idx({1}, "\0"s)));

  const data::ImageSet train = data::read_mnist(folder.path(), "train");
  CHECK(train.labels == std::vector<int32_t>{7, 9});
  CHECK(train.pixels == std::vector<uint8_t>{'a', 'b'});
  CHECK(train.classes.at(9) == "9");
  const data::ImageSet test = data::read_fashion_mnist(folder.path(), "test");
  CHECK(test.labels == std::vector<int32_t>{0});
  CHECK(test.classes.size() == 10);
  CHECK(test.classes.front() == "T-shirt/top");
  CHECK(test.classes.back() == "Ankle boot");

  CHECK_THROWS_WITH_AS(data::read_mnist(folder.path(), "val"), "MNIST: there is no part 'val', expected train or test",
                       Error);
  std::filesystem::remove(folder.file("t10k-labels-idx1-ubyte.gz"));
  const std::string message =
      folder.path() + ": neither t10k-labels-idx1-ubyte.gz nor t10k-labels-idx1-ubyte is in this folder";
  CHECK_THROWS_WITH_AS(data::read_mnist(folder.path(), "test"), message.c_str(), Error);
  CHECK_THROWS_WITH_AS(data::read_mnist("none", "test"), "none: no such folder", Error);
}

TEST_CASE("mnist: Fashion-MNIST as published") {
  const char* folder = std::getenv("MIXTAPE_DATA");
  if (folder == nullptr) {
    MESSAGE("skipped: MIXTAPE_DATA names no folder with fashion-mnist/");
    return;
  }
  for (const auto& [part, size] : {std::pair{"train", 60'000}, std::pair{"test", 10'000}}) {
    const data::ImageSet set = data::read_fashion_mnist(std::filesystem::path(folder) / "fashion-mnist", part);
    CHECK(set.size() == size);
    CHECK(set.height == 28);
    CHECK(set.width == 28);
    CHECK(static_cast<int64_t>(set.pixels.size()) == size * 28 * 28);
    for (int32_t label = 0; label < 10; ++label) CHECK(std::ranges::count(set.labels, label) == size / 10);
  }
}

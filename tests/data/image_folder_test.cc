#include "data/image_folder.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "data/image_file.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using tests::TemporaryFolder;

namespace {

std::string flat_png(int64_t height, int64_t width, uint8_t grey) {
  return data::to_png({.height = height,
                       .width = width,
                       .channels = 1,
                       .pixels = std::vector<uint8_t>(static_cast<size_t>(height * width), grey)});
}

}  // namespace

TEST_CASE("image_folder: a folder is a class, in the order of the names, and every picture gets one size") {
  const TemporaryFolder folder;
  for (const char* name : {"dog", "cat", ".cache"}) std::filesystem::create_directory(folder.file(name));
  folder.write("dog/2.PNG", flat_png(3, 9, 20));
  folder.write("dog/1.png", flat_png(8, 4, 10));
  folder.write("cat/a.png", flat_png(1, 1, 30));
  folder.write("cat/.hidden", "not a picture");
  folder.write("README.txt", "beside the classes");

  const data::ImageSet set = data::read_image_folder(folder.path(), 2, 4, 3);
  CHECK(set.height == 2);
  CHECK(set.width == 4);
  CHECK(set.channels == 3);
  CHECK(set.classes == std::vector<std::string>{"cat", "dog"});
  CHECK(set.labels == std::vector<int32_t>{0, 1, 1});
  for (int64_t i = 0; i < 3; ++i) {
    const auto image = set.image(i);
    const uint8_t expected = std::vector<uint8_t>{30, 10, 20}[static_cast<size_t>(i)];
    CHECK(std::vector<uint8_t>(image.begin(), image.end()) == std::vector<uint8_t>(24, expected));
  }
  CHECK(data::read_image_folder(folder.path(), 1, 1, 1).pixels == std::vector<uint8_t>{30, 10, 20});
}

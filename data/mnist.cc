#include "data/mnist.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "autograd/tensors/error.h"
#include "data/idx.h"
#include "data/text_file.h"

namespace mixtape::data {
namespace {

namespace fs = std::filesystem;

std::string prefix_of(std::string_view part) {
  if (part == "train") return "train";
  if (part == "test") return "t10k";
  fail(fmt::format("MNIST: there is no part '{}', expected train or test", part));
}

ImageSet read_part(const fs::path& folder, std::string_view part, std::vector<std::string> classes) {
  const std::string prefix = prefix_of(part);
  const fs::path images = require_plain_or_gz(folder, prefix + "-images-idx3-ubyte");
  return read_idx(images, require_plain_or_gz(folder, prefix + "-labels-idx1-ubyte"), std::move(classes));
}

}  // namespace

ImageSet read_mnist(const fs::path& folder, std::string_view part) {
  return read_part(folder, part, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
}

ImageSet read_fashion_mnist(const fs::path& folder, std::string_view part) {
  return read_part(
      folder, part,
      {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"});
}

}  // namespace mixtape::data

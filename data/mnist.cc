#include "data/mnist.h"

#include <fmt/format.h>

#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "autograd/error.h"
#include "data/idx.h"

namespace mixtape::data {
namespace {

namespace fs = std::filesystem;

std::string prefix_of(std::string_view part) {
  if (part == "train") return "train";
  if (part == "test") return "t10k";
  fail(fmt::format("MNIST: there is no part '{}', expected train or test", part));
}

fs::path find_plain_or_gz(const fs::path& folder, const std::string& name) {
  std::error_code ignored;
  for (const fs::path& path : {folder / (name + ".gz"), folder / name}) {
    if (fs::exists(path, ignored)) return path;
  }
  if (!fs::is_directory(folder, ignored)) fail(fmt::format("{}: no such folder", folder.string()));
  fail(fmt::format("{}: neither {}.gz nor {} is in this folder", folder.string(), name, name));
}

ImageSet read_part(const fs::path& folder, std::string_view part, std::vector<std::string> classes) {
  const std::string prefix = prefix_of(part);
  return read_idx(find_plain_or_gz(folder, prefix + "-images-idx3-ubyte"),
                  find_plain_or_gz(folder, prefix + "-labels-idx1-ubyte"), std::move(classes));
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

#include "examples/vit/images.h"

#include <fmt/format.h>

#include "autograd/tensors/error.h"
#include "data/cifar10.h"
#include "data/digits.h"
#include "data/mnist.h"

namespace mixtape::vit {

std::vector<std::string> data_names() { return {"digits", "mnist", "fashion-mnist", "cifar10"}; }

data::ImageSet read_images(const std::string& data, const std::string& folder, const std::string& part) {
  if (data == "digits") return data::read_digits(part);
  if (folder.empty()) fail(fmt::format("--data {} needs --data-dir, the folder that holds it", data));
  if (data == "cifar10") return data::read_cifar10(folder, part);
  return data == "mnist" ? data::read_mnist(folder, part) : data::read_fashion_mnist(folder, part);
}

}  // namespace mixtape::vit

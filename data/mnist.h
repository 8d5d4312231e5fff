#pragma once

#include <filesystem>
#include <string_view>

#include "data/images.h"

namespace mixtape::data {

/// Reads MNIST as published (LeCun et al. 1998): handwritten digits, [28, 28, 1], 60,000 to train and 10,000 to test.
/// `part` is `train` or `test`, whose files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-...`
/// and `t10k-labels-...`, each plain or .gz. Throws what read_idx throws, and when a file is not in the folder.
ImageSet read_mnist(const std::filesystem::path& folder, std::string_view part);

/// Reads Fashion-MNIST as published (Xiao et al. 2017): pieces of clothing in files like those of MNIST.
ImageSet read_fashion_mnist(const std::filesystem::path& folder, std::string_view part);

}  // namespace mixtape::data

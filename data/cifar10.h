#pragma once

#include <filesystem>
#include <string_view>

#include "data/images.h"

namespace mixtape::data {

/// Reads the binary version of CIFAR-10 (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html): photographs of
/// ten classes, [32, 32, 3]. `part` is `train`, all files `data_batch_*.bin` in the order of their names, or `test`,
/// `test_batch.bin`. A file may hold any number of records: a byte of label, then the red, green and blue planes.
/// Throws when there is no such file, when one holds nothing or a part of a record, and at a label above 9.
ImageSet read_cifar10(const std::filesystem::path& folder, std::string_view part);

}  // namespace mixtape::data

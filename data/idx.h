#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/images.h"

namespace mixtape::data {

/// Reads grey pictures and their labels from two IDX files (http://yann.lecun.com/exdb/mnist), plain or .gz: unsigned
/// bytes [count, height, width] and [count]. Label i is the index of a name in `classes`. Throws what read_file throws,
/// and, naming the file, for a wrong magic number, a size that is not what the header says, no pictures, counts that
/// differ, and a label without a name.
ImageSet read_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                  std::vector<std::string> classes);

}  // namespace mixtape::data

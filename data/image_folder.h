#pragma once

#include <cstdint>
#include <filesystem>

#include "data/images.h"

namespace mixtape::data {

/// Reads a folder that holds a folder of PNG and JPEG files for each class. Classes and files are taken in the order of
/// their names; each picture is read with `channels` (see read_image) and fitted to `height` x `width` (see fit). Names
/// that start with a dot, and files beside the class folders, are left out. Throws for fewer than two classes, a class
/// without files, and whatever in a class folder is not a picture.
ImageSet read_image_folder(const std::filesystem::path& folder, int64_t height, int64_t width, int64_t channels);

}  // namespace mixtape::data

#pragma once

#include <string>
#include <vector>

#include "data/images.h"

namespace mixtape::vit {

/// What --data may be.
std::vector<std::string> data_names();

/// The part of a data set, `train` or `test`; `folder` holds its files, in the format that its authors publish. Throws
/// one line if the folder is not given where it is needed, or what is in it cannot be used.
data::ImageSet read_images(const std::string& data, const std::string& folder, const std::string& part);

}  // namespace mixtape::vit

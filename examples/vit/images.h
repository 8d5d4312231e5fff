#pragma once

#include <string>
#include <vector>

#include "data/images.h"

namespace mixtape::vit {

/// The values of --data.
std::vector<std::string> data_names();

/// A split of a data set, `train` or `test`; `folder` has its files, in the format of its authors. Throws one line if
/// the folder is needed but not given, or its files cannot be used.
data::ImageSet read_images(const std::string& data, const std::string& folder, const std::string& part);

}  // namespace mixtape::vit

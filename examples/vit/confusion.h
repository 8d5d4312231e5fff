#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/common/html.h"

namespace mixtape::vit {

/// What pictures of each class were taken for: `counts` [V, V], a row for each class that pictures are of, a column for
/// each that was said (data::Classification::confusion). Up to 20 classes a table of the counts, shaded, with the share
/// that was right; of more a heat map. Below it the mistakes that were made most often. Throws if there are not V * V
/// counts.
examples::Html confusion_matrix(const std::vector<std::string>& classes, const std::vector<int64_t>& counts);

}  // namespace mixtape::vit

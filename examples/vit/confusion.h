#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/common/html.h"

namespace mixtape::vit {

/// The confusion matrix: `counts` [V, V], with a row for each true class and a column for each predicted class
/// (data::Classification::confusion). Up to 20 classes it is a shaded table of the counts with the fraction of correct
/// answers, otherwise a heat map. The most frequent mistakes are listed below. Throws if there are not V * V counts.
examples::Html confusion_matrix(const std::vector<std::string>& classes, const std::vector<int64_t>& counts);

}  // namespace mixtape::vit

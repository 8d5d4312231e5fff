#pragma once

#include <string>
#include <vector>

#include "examples/common/html.h"

namespace mixtape::examples {

/// A matrix with labelled rows and columns, such as the attention of one head: rows are queries, columns keys.
struct HeatMap {
  std::string title;
  std::vector<std::string> rows;     ///< row labels
  std::vector<std::string> columns;  ///< column labels
  std::vector<float> values;         ///< [rows, columns], not negative
  float highest = 1;                 ///< the value drawn in full colour
};

/// The matrix as inline SVG for an html_page, darker for larger values. The pointer shows labels and value, and a
/// collapsed text lists the largest values of each row. Throws mixtape::Error if the sizes do not match.
Html heat_map(const HeatMap& map);

/// Several maps side by side, such as all heads of a layer.
Html heat_maps(const std::vector<HeatMap>& maps);

}  // namespace mixtape::examples

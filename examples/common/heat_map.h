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
  float highest = 1;                 ///< the value that gets the full colour
};

/// The matrix as inline SVG, darker for larger values, to stand in an html_page: the pointer shows labels and value,
/// and a text form that can be opened names the largest values of each row. Throws mixtape::Error if the sizes do not
/// fit.
Html heat_map(const HeatMap& map);

/// Several maps side by side, such as all heads of a layer.
Html heat_maps(const std::vector<HeatMap>& maps);

}  // namespace mixtape::examples

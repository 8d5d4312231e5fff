#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/images.h"
#include "examples/common/html.h"

namespace mixtape::examples {

/// A picture to stand in an html_page, `scale` page pixels for each of its own, with sharp edges: a figure with an
/// <img> whose PNG is in the page itself. `caption` stands below it, in lines if it has some, and is its alt text.
/// Throws mixtape::Error unless the picture has 1 or 3 channels, as many pixels as its sizes say and at least one, and
/// `scale` is at least 1.
Html picture(const data::Image& image, std::string_view caption, int64_t scale = 1);

/// Values for the cells of a grid over a picture, such as the attention to each patch.
struct Overlay {
  int64_t rows = 0, columns = 0;
  std::vector<double> values;  ///< [rows, columns], 0 to 1; others are taken as the nearer of both
};

/// The picture in RGB with the values over it: itself in grey, with less contrast, and orange where a value is large,
/// so that whatever is coloured is a value, and what lies below is seen, be it light or dark. Throws as `picture` does,
/// and if the grid is empty, finer than the pixels, or has another number of values.
data::Image overlaid(const data::Image& image, const Overlay& overlay);

/// Pictures side by side, as many as fit.
Html pictures(const std::vector<Html>& items);

/// Bytes as base64 text (RFC 4648), with padding.
std::string base64(std::string_view bytes);

}  // namespace mixtape::examples

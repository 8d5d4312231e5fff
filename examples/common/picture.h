#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/images.h"
#include "examples/common/html.h"

namespace mixtape::examples {

/// An image for an html_page, enlarged `scale` times without smoothing: a figure with an <img> whose PNG is inline.
/// `caption`, which may have several lines, is the text below it and its alt text. Throws mixtape::Error unless the
/// image has 1 or 3 channels, at least one pixel, as many pixels as its sizes say, and `scale` is at least 1.
Html picture(const data::Image& image, std::string_view caption, int64_t scale = 1);

/// Values for the cells of a grid over an image, such as the attention to each patch.
struct Overlay {
  int64_t rows = 0, columns = 0;
  std::vector<double> values;  ///< [rows, columns], clamped to 0 to 1
};

/// The image with the values as an overlay, in RGB: the image in grey with reduced contrast, and orange where a value
/// is large. All colour is from the values, and the image remains visible, light or dark. Throws as `picture` does, and
/// if the grid is empty, finer than the pixels, or has a different number of values.
data::Image overlaid(const data::Image& image, const Overlay& overlay);

/// Images side by side, as many as fit.
Html pictures(const std::vector<Html>& items);

/// Bytes as base64 text (RFC 4648), with padding.
std::string base64(std::string_view bytes);

}  // namespace mixtape::examples

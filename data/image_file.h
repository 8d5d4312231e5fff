#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "data/images.h"

namespace mixtape::data {

/// Reads a PNG or JPEG picture of at most 16,384 pixels on a side and 64 million in all, as grey (channels 1; of
/// colours their luma, 0.299 R + 0.587 G + 0.114 B) or RGB (channels 3). Transparent pixels are laid over white; of 16
/// bits a channel the upper 8 are kept. Colour profiles and the orientation that a camera noted are not applied.
/// Throws, naming the file, when it cannot be read, is neither PNG nor JPEG, is larger, or is not whole (see
/// image_check.h).
Image read_image(const std::filesystem::path& path, int64_t channels);

/// The picture in another size. Along an axis that shrinks, a pixel is the average of the area that it covers; along
/// one that grows, pixels are interpolated linearly between their centres.
Image resize(const Image& image, int64_t height, int64_t width);

/// The picture in another size and, if need be, of another shape: the largest part of that shape, to the nearest pixel,
/// is cut out of its middle and resized.
Image fit(const Image& image, int64_t height, int64_t width);

/// The picture as a PNG file, grey or RGB.
std::string to_png(const Image& image);

}  // namespace mixtape::data

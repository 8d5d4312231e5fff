#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mixtape::data {

/// One picture: rows of pixels, the channels of a pixel side by side, 0 to 255.
struct Image {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;  ///< [height, width, channels]
};

/// Labelled pictures of one size.
struct ImageSet {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;       ///< [size, height, width, channels]
  std::vector<int32_t> labels;       ///< each in [0, classes.size())
  std::vector<std::string> classes;  ///< their names

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  int64_t image_bytes() const { return height * width * channels; }
  /// The pixels of one picture, [height, width, channels].
  std::span<const uint8_t> image(int64_t index) const {
    return {pixels.data() + index * image_bytes(), static_cast<size_t>(image_bytes())};
  }
};

/// The given pictures of a set, in that order. Throws if there is no such picture.
ImageSet subset(const ImageSet& images, const std::vector<int64_t>& indices);

struct HeldOut {
  ImageSet rest, held_out;
};
/// Takes `count` pictures out of a set by a draw from `seed`; both parts keep their order. Throws unless some are left.
HeldOut hold_out(const ImageSet& images, int64_t count, uint64_t seed);

}  // namespace mixtape::data

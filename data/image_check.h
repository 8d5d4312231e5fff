#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mixtape::data {

/// The largest picture that is read: 16,384 pixels on a side, 64 million in all.
inline constexpr int64_t kMaxImageSide = 1 << 14, kMaxImagePixels = 1 << 26;

/// Throws, naming the file, if a picture has no pixels or more than the limits.
void check_image_size(const std::string& file, int64_t height, int64_t width);

/// Throws, naming the file, if the bytes of a PNG file are not whole: every chunk, its checksum, and the compressed
/// pixels, which must inflate to exactly what the header announces. Bytes behind the last chunk do not matter.
void check_png(const std::string& file, std::string_view bytes);

/// Throws, naming the file, if the segments of a JPEG file are not whole up to the end of the image, if it has no
/// tables, or Huffman tables longer than they may be, or if it is of a kind other than baseline or progressive. The
/// coded pixels themselves carry no checksum. Bytes behind the end do not matter.
void check_jpeg(const std::string& file, std::string_view bytes);

}  // namespace mixtape::data

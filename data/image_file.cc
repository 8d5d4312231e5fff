#include "data/image_file.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"
#include "data/image_check.h"

// stb_image leaves tables that a damaged JPEG never defines as it finds them, so its memory starts as zeros.
#define STBI_MALLOC(size) std::calloc(1, size)
#define STBI_REALLOC std::realloc
#define STBI_FREE std::free
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_LINEAR
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS mixtape::data::kMaxImageSide
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION

// The coded pixels of a damaged JPEG may make stb_image add and shift beyond 32 bits. That changes what the picture
// shows, and no address. GCC: sums wrap around, and -O3 would take three times as long to compile.
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("shift-exponent", "signed-integer-overflow"))), \
                                 apply_to = function)
#else
#pragma GCC push_options
#pragma GCC optimize("O1", "wrapv")
#endif
#include <stb/stb_image.h>
#include <stb/stb_image_write.h>
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace mixtape::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n", kJpegSignature = "\xff\xd8\xff";
constexpr size_t kMaxFileBytes = size_t{1} << 30;

struct Free {
  void operator()(unsigned char* memory) const { std::free(memory); }
};

struct Decoded {
  int width = 0, height = 0, channels = 0;  ///< 1: grey, 2: grey and alpha, 3: RGB, 4: RGB and alpha
  std::unique_ptr<unsigned char, Free> pixels;
};

/// Why stb_image gave up. It does not always say; then what it says is that a JPEG is no PNG.
std::string_view reason() {
  const std::string_view reason = stbi_failure_reason();
  return reason == "bad png sig" ? "its segments contradict each other" : reason;
}

Decoded decode(const std::string& file, std::string_view bytes) {
  if (bytes.size() > kMaxFileBytes) {
    fail(fmt::format("{}: {} bytes, expected a picture of at most {}", file, bytes.size(), kMaxFileBytes));
  }
  if (bytes.starts_with(kPngSignature)) {
    check_png(file, bytes);
  } else if (bytes.starts_with(kJpegSignature)) {
    check_jpeg(file, bytes);
  } else {
    fail(fmt::format("{}: {}", file, bytes.empty() ? "the file is empty" : "neither PNG nor JPEG"));
  }
  Decoded decoded;
  decoded.pixels.reset(stbi_load_from_memory(reinterpret_cast<const unsigned char*>(bytes.data()),
                                             static_cast<int>(bytes.size()), &decoded.width, &decoded.height,
                                             &decoded.channels, 0));
  if (decoded.pixels == nullptr) fail(fmt::format("{}: damaged picture: {}", file, reason()));
  return decoded;
}

/// 16 bits of fraction, which add up to one.
uint8_t luma(uint32_t red, uint32_t green, uint32_t blue) {
  return static_cast<uint8_t>((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16);
}

void append_pixel(const unsigned char* pixel, int from, int64_t to, std::vector<uint8_t>& pixels) {
  const bool grey = from < 3;
  const uint32_t alpha = from % 2 == 0 ? pixel[from - 1] : 255;
  auto over_white = [&](int channel) {
    return static_cast<uint8_t>((pixel[channel] * alpha + 255 * (255 - alpha) + 127) / 255);
  };
  const uint8_t red = over_white(0);
  const uint8_t green = grey ? red : over_white(1), blue = grey ? red : over_white(2);
  if (to == 1) {
    pixels.push_back(luma(red, green, blue));
  } else {
    pixels.insert(pixels.end(), {red, green, blue});
  }
}

}  // namespace

Image read_image(const fs::path& path, int64_t channels) {
  if (channels != 1 && channels != 3) fail(fmt::format("read_image: {} channels, expected 1 or 3", channels));
  const Decoded decoded = decode(path.string(), mixtape::read_file(path.string()));
  Image image{.height = decoded.height, .width = decoded.width, .channels = channels, .pixels = {}};
  const int64_t count = image.height * image.width;
  image.pixels.reserve(static_cast<size_t>(count * channels));
  for (int64_t i = 0; i < count; ++i) {
    append_pixel(decoded.pixels.get() + i * decoded.channels, decoded.channels, channels, image.pixels);
  }
  return image;
}

std::string to_png(const Image& image) {
  const auto& [height, width, channels, pixels] = image;
  if (height < 1 || width < 1 || (channels != 1 && channels != 3) ||
      static_cast<int64_t>(pixels.size()) != height * width * channels) {
    fail(fmt::format("to_png: [{}, {}, {}] and {} bytes, expected a picture with 1 or 3 channels", height, width,
                     channels, pixels.size()));
  }
  int size = 0;
  const std::unique_ptr<unsigned char, Free> png(
      stbi_write_png_to_mem(pixels.data(), static_cast<int>(width * channels), static_cast<int>(width),
                            static_cast<int>(height), static_cast<int>(channels), &size));
  if (png == nullptr) fail("to_png: out of memory");
  return {reinterpret_cast<const char*>(png.get()), static_cast<size_t>(size)};
}

}  // namespace mixtape::data

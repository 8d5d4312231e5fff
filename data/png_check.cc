#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

#include "autograd/tensors/error.h"
#include "data/big_endian.h"
#include "data/image_check.h"

namespace mixtape::data {
namespace {

constexpr size_t kSignature = 8;

struct Chunk {
  std::string_view type, data;
};

/// The chunk at `offset`, which moves behind it: length, type, data, checksum of type and data.
Chunk next_chunk(const std::string& file, std::string_view bytes, size_t& offset) {
  const std::string_view rest = bytes.substr(offset);
  const size_t length = rest.size() < 12 ? 0 : big_endian(rest, 0, 4);
  if (rest.size() < 12 || rest.size() - 12 < length) {
    fail(fmt::format("{}: damaged PNG: cut short within the chunk at byte {}", file, offset));
  }
  const std::string_view covered = rest.substr(4, 4 + length);
  const auto sum = crc32_z(0, reinterpret_cast<const Bytef*>(covered.data()), covered.size());
  const uint32_t expected = big_endian(rest, 8 + length, 4);
  if (sum != expected) {
    fail(fmt::format("{}: damaged PNG: the chunk at byte {} has checksum {:08x}, expected {:08x}", file, offset, sum,
                     expected));
  }
  offset += 12 + length;
  return {covered.substr(0, 4), covered.substr(4)};
}

struct Header {
  int64_t width = 0, height = 0, bits = 0;  ///< bits of a pixel
  bool interlaced = false;
};

Header read_header(const std::string& file, const Chunk& chunk) {
  if (chunk.type != "IHDR" || chunk.data.size() != 13) {
    fail(fmt::format("{}: damaged PNG: expected a header (IHDR, 13 bytes) first", file));
  }
  constexpr std::array<int64_t, 7> kChannels = {1, 0, 3, 1, 2, 0, 4};  // by colour type
  const uint32_t depth = big_endian(chunk.data, 8, 1), colour = big_endian(chunk.data, 9, 1);
  const int64_t channels = colour < kChannels.size() ? kChannels[colour] : 0;
  if (channels == 0 || depth == 0 || depth > 16) {
    fail(fmt::format("{}: damaged PNG: there is no colour type {} with {} bits a channel", file, colour, depth));
  }
  const Header header{.width = big_endian(chunk.data, 0, 4),
                      .height = big_endian(chunk.data, 4, 4),
                      .bits = channels * depth,
                      .interlaced = big_endian(chunk.data, 12, 1) != 0};
  check_image_size(file, header.height, header.width);
  return header;
}

/// Bytes of all rows, each with the byte that names its filter.
int64_t raw_bytes(const Header& header) {
  struct Pass {
    int64_t x, y, step_x, step_y;
  };
  constexpr std::array<Pass, 7> kAdam7 = {
      {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}};
  auto pass_bytes = [&](const Pass& pass) {
    const int64_t width = (header.width - pass.x + pass.step_x - 1) / pass.step_x;
    const int64_t height = (header.height - pass.y + pass.step_y - 1) / pass.step_y;
    return width > 0 && height > 0 ? height * (1 + (width * header.bits + 7) / 8) : 0;
  };
  if (!header.interlaced) return pass_bytes({0, 0, 1, 1});
  int64_t total = 0;
  for (const Pass& pass : kAdam7) total += pass_bytes(pass);
  return total;
}

/// Inflates without keeping anything: the size is known before a decoder allocates.
class PixelCount {
 public:
  PixelCount() {
    if (inflateInit(&stream_) != Z_OK) fail("zlib: cannot start");
  }
  PixelCount(const PixelCount&) = delete;
  PixelCount& operator=(const PixelCount&) = delete;
  ~PixelCount() { inflateEnd(&stream_); }

  int64_t inflated() const { return inflated_; }
  bool ended() const { return ended_; }

  /// Takes the next part of the compressed pixels. Stops when more than `limit` bytes have come out.
  void add(const std::string& file, std::string_view part, int64_t limit) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
    stream_.avail_in = static_cast<uInt>(part.size());
    std::array<Bytef, size_t{1} << 15> out;
    do {
      if (ended_ || inflated_ > limit) return;
      stream_.next_out = out.data();
      stream_.avail_out = static_cast<uInt>(out.size());
      const int status = inflate(&stream_, Z_NO_FLUSH);
      inflated_ += static_cast<int64_t>(out.size() - stream_.avail_out);
      ended_ = status == Z_STREAM_END;
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
        fail(fmt::format("{}: damaged PNG: the compressed pixels are not zlib's ({})", file,
                         stream_.msg != nullptr ? stream_.msg : zError(status)));
      }
    } while (stream_.avail_out == 0);
  }

 private:
  z_stream stream_{};
  int64_t inflated_ = 0;
  bool ended_ = false;
};

}  // namespace

void check_image_size(const std::string& file, int64_t height, int64_t width) {
  if (std::min(height, width) < 1 || std::max(height, width) > kMaxImageSide || height * width > kMaxImagePixels) {
    fail(fmt::format("{}: {} x {} pixels, expected 1 to {} on a side and at most {} in all", file, height, width,
                     kMaxImageSide, kMaxImagePixels));
  }
}

void check_png(const std::string& file, std::string_view bytes) {
  size_t offset = kSignature;
  const Header header = read_header(file, next_chunk(file, bytes, offset));
  const int64_t expected = raw_bytes(header);
  PixelCount pixels;
  for (;;) {
    const size_t start = offset;
    const Chunk chunk = next_chunk(file, bytes, offset);
    if (chunk.type == "IEND") break;
    const bool optional = std::islower(static_cast<unsigned char>(chunk.type[0])) != 0;
    if (chunk.type == "IDAT") {
      pixels.add(file, chunk.data, expected);
    } else if (!optional && chunk.type != "PLTE") {
      fail(fmt::format("{}: damaged PNG: the chunk at byte {} is of no known type", file, start));
    }
  }
  if (!pixels.ended() || pixels.inflated() != expected) {
    fail(fmt::format("{}: damaged PNG: {} x {} pixels take {} bytes, and the file holds {}", file, header.height,
                     header.width, expected,
                     pixels.inflated() > expected ? "more" : fmt::format("{}", pixels.inflated())));
  }
}

}  // namespace mixtape::data

#include <fmt/format.h>

#include <cstddef>

#include "autograd/tensors/error.h"
#include "data/big_endian.h"
#include "data/image_check.h"

namespace mixtape::data {
namespace {

enum Marker : uint32_t {
  kFrame0 = 0xc0,  // to 0xcf, but for the three that follow
  kHuffman = 0xc4,
  kExtension = 0xc8,
  kArithmetic = 0xcc,
  kRestart0 = 0xd0,  // to 0xd7
  kEnd = 0xd9,
  kScan = 0xda,
  kQuantization = 0xdb,
};

[[noreturn]] void fail_cut_short(const std::string& file, std::string_view where) {
  fail(fmt::format("{}: damaged JPEG: cut short {}", file, where));
}

/// The next marker from `offset` on, which moves behind it. Steps over coded pixels, where 0xff is written as 0xff00.
uint32_t next_marker(const std::string& file, std::string_view bytes, size_t& offset) {
  for (;;) {
    const size_t start = bytes.find('\xff', offset);
    if (start >= bytes.size() - 1) fail_cut_short(file, "before the end of the image");
    const uint32_t marker = big_endian(bytes, start + 1, 1);
    offset = start + (marker == 0xff ? 1 : 2);
    if (marker != 0 && marker != 0xff && (marker < kRestart0 || marker >= kRestart0 + 8)) return marker;
  }
}

/// The segment behind a marker, without the two bytes of its length. `offset` moves behind it.
std::string_view next_segment(const std::string& file, std::string_view bytes, size_t& offset) {
  const std::string_view rest = bytes.substr(offset);
  const size_t length = rest.size() < 2 ? 0 : big_endian(rest, 0, 2);
  if (rest.size() < 2 || rest.size() < length) {
    fail_cut_short(file, fmt::format("within the segment at byte {}", offset));
  }
  if (length < 2) fail(fmt::format("{}: damaged JPEG: a segment of {} bytes at byte {}", file, length, offset));
  offset += length;
  return rest.substr(2, length - 2);
}

/// Tables of a byte of number, 16 counts and as many symbols as they add up to, at most 256.
void check_huffman_tables(const std::string& file, std::string_view segment) {
  while (!segment.empty()) {
    size_t symbols = 0;
    for (size_t i = 1; i <= 16 && i < segment.size(); ++i) symbols += big_endian(segment, i, 1);
    if (segment.size() < 17 + symbols || symbols > 256) {
      fail(fmt::format("{}: damaged JPEG: a Huffman table of {} symbols in {} bytes, expected at most 256", file,
                       symbols, segment.size()));
    }
    segment.remove_prefix(17 + symbols);
  }
}

void check_frame(const std::string& file, uint32_t marker, std::string_view segment) {
  if (marker > kFrame0 + 2) {
    fail(fmt::format("{}: a JPEG of kind {} is not supported, expected 0 to 2 (baseline, extended or progressive)",
                     file, marker - kFrame0));
  }
  if (segment.size() < 6) fail(fmt::format("{}: damaged JPEG: a header of {} bytes", file, segment.size()));
  check_image_size(file, big_endian(segment, 1, 2), big_endian(segment, 3, 2));
}

}  // namespace

void check_jpeg(const std::string& file, std::string_view bytes) {
  bool frame = false, huffman = false, quantization = false, scan = false;
  size_t offset = 2;
  for (uint32_t marker = 0; (marker = next_marker(file, bytes, offset)) != kEnd;) {
    const std::string_view segment = next_segment(file, bytes, offset);
    scan = scan || marker == kScan;
    quantization = quantization || marker == kQuantization;
    if (marker == kHuffman) {
      huffman = true;
      check_huffman_tables(file, segment);
    } else if (marker >= kFrame0 && marker < kRestart0 && marker != kExtension && marker != kArithmetic) {
      frame = true;
      check_frame(file, marker, segment);
    }
  }
  auto require = [&](bool found, std::string_view part) {
    if (!found) fail(fmt::format("{}: damaged JPEG: it ends without {}", file, part));
  };
  require(frame, "a header");
  require(huffman, "Huffman tables");
  require(quantization, "quantization tables");
  require(scan, "pixels");
}

}  // namespace mixtape::data

#pragma once

#include <zlib.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// Files of pictures as bytes, for tests of what reads them.
namespace mixtape::tests {

/// Most significant byte first.
inline std::string four_bytes(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

/// An IDX file of unsigned bytes whose header says `shape`.
inline std::string idx(const std::vector<uint32_t>& shape, std::string_view values) {
  std::string bytes = four_bytes(0x0800 + static_cast<uint32_t>(shape.size()));
  for (const uint32_t size : shape) bytes += four_bytes(size);
  return bytes.append(values);
}

/// Records of the binary version of CIFAR-10, one for each label; each byte of a plane is the plane's number.
inline std::string cifar10(const std::vector<int>& labels) {
  std::string bytes;
  for (const int label : labels) {
    bytes += static_cast<char>(label);
    for (int plane = 0; plane < 3; ++plane) bytes.append(32 * 32, static_cast<char>(plane));
  }
  return bytes;
}

/// `window_bits` as for deflateInit2: 31 for gzip, 15 for zlib.
inline std::string deflated(std::string_view bytes, int window_bits) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib: cannot start");
  }
  std::string packed(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int status = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("zlib: cannot deflate");
  return packed;
}

inline std::string gzip(std::string_view bytes) { return deflated(bytes, 31); }

/// A chunk of a PNG file with the checksum that fits.
inline std::string png_chunk(const std::string& type, const std::string& data) {
  const std::string covered = type + data;
  const uLong sum = crc32(0, reinterpret_cast<const Bytef*>(covered.data()), static_cast<uInt>(covered.size()));
  return four_bytes(static_cast<uint32_t>(data.size())) + covered + four_bytes(static_cast<uint32_t>(sum));
}

/// A PNG file whose header and rows (each with its filter's byte) may be anything.
inline std::string png(uint32_t width, uint32_t height, int depth, int colour, std::string_view rows) {
  const std::string header = four_bytes(width) + four_bytes(height) + static_cast<char>(depth) +
                             static_cast<char>(colour) + std::string(3, '\0');
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) + png_chunk("IDAT", deflated(rows, 15)) +
         png_chunk("IEND", "");
}

}  // namespace mixtape::tests

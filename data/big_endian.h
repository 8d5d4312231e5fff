#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mixtape::data {

/// The unsigned number in `count` bytes (1 to 4) from `offset` on, the most significant first. They must be there.
inline uint32_t big_endian(std::string_view bytes, size_t offset, size_t count) {
  uint32_t value = 0;
  for (const char byte : bytes.substr(offset, count)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace mixtape::data

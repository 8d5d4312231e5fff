#include "data/unicode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "autograd/tensors/error.h"

namespace mixtape::data {
namespace {

/// One code point and the number of bytes that it takes; no bytes when what stands there is not UTF-8.
struct DecodedCharacter {
  char32_t code_point = 0;
  size_t bytes = 0;
};

/// What a first byte says: how many bytes there are, and the smallest code point that needs as many.
struct Lead {
  size_t bytes;
  char32_t smallest;
  char32_t bits;
};

Lead read_lead(unsigned char byte) {
  if (byte < 0x80) return {1, 0, byte};
  if (byte >= 0xC0 && byte < 0xE0) return {2, 0x80, byte & 0x1Fu};
  if (byte >= 0xE0 && byte < 0xF0) return {3, 0x800, byte & 0x0Fu};
  if (byte >= 0xF0 && byte < 0xF8) return {4, 0x10000, byte & 0x07u};
  return {0, 0, 0};
}

/// Decodes what stands at the start of `text`, which is not empty.
DecodedCharacter decode_first(std::string_view text) {
  const Lead lead = read_lead(static_cast<unsigned char>(text[0]));
  if (lead.bytes == 0 || lead.bytes > text.size()) return {};
  char32_t code_point = lead.bits;
  for (size_t i = 1; i < lead.bytes; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0u) != 0x80u) return {};
    code_point = (code_point << 6) | (byte & 0x3Fu);
  }
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < lead.smallest || code_point > 0x10FFFF || surrogate) return {};
  return {code_point, lead.bytes};
}

/// Calls visit(code_point, offset, bytes) for each code point of `text`.
void for_each_code_point(std::string_view text, auto&& visit) {
  for (size_t offset = 0; offset < text.size();) {
    const DecodedCharacter decoded = decode_first(text.substr(offset));
    if (decoded.bytes == 0) fail(fmt::format("text: byte {} of {} is not UTF-8", offset + 1, text.size()));
    visit(decoded.code_point, offset, decoded.bytes);
    offset += decoded.bytes;
  }
}

}  // namespace

std::optional<int64_t> find_invalid_utf8(std::string_view text) {
  for (size_t offset = 0; offset < text.size();) {
    const DecodedCharacter decoded = decode_first(text.substr(offset));
    if (decoded.bytes == 0) return static_cast<int64_t>(offset);
    offset += decoded.bytes;
  }
  return std::nullopt;
}

std::u32string to_code_points(std::string_view text) {
  std::u32string result;
  result.reserve(text.size());
  for_each_code_point(text, [&](char32_t code_point, size_t, size_t) { result.push_back(code_point); });
  return result;
}

std::u32string to_visible_code_points(std::string_view text) {
  std::u32string result = to_code_points(text);
  std::erase_if(result, is_space);
  return result;
}

bool is_space(char32_t code_point) {
  constexpr std::array<char32_t, 8> kSingles = {0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F};
  if (code_point >= 0x09 && code_point <= 0x0D) return true;
  if (code_point >= 0x1C && code_point <= 0x1F) return true;
  if (code_point >= 0x2000 && code_point <= 0x200A) return true;
  return code_point == 0x3000 || std::ranges::find(kSingles, code_point) != kSingles.end();
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  size_t start = 0;
  auto end_word = [&](size_t end) {
    if (end > start) words.push_back(text.substr(start, end - start));
  };
  for_each_code_point(text, [&](char32_t code_point, size_t offset, size_t bytes) {
    if (!is_space(code_point)) return;
    end_word(offset);
    start = offset + bytes;
  });
  end_word(text.size());
  return words;
}

}  // namespace mixtape::data

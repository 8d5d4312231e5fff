#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mixtape::data {

/// The offset of the first byte at which `text` stops being UTF-8, or nothing when all of it is. Strict, as in RFC
/// 3629: overlong forms, surrogates and code points above U+10FFFF are refused.
std::optional<int64_t> find_invalid_utf8(std::string_view text);

/// The code points of `text`. Throws when it is not UTF-8.
std::u32string to_code_points(std::string_view text);

/// The code points of `text` that are no white space. Throws when it is not UTF-8.
std::u32string to_visible_code_points(std::string_view text);

/// True for the code points at which Python's `str.split()` splits: the Unicode white space, and U+001C to U+001F.
bool is_space(char32_t code_point);

/// The words of `text`: what lies between runs of white space (see is_space), as views into `text`. Throws when it is
/// not UTF-8.
std::vector<std::string_view> split_words(std::string_view text);

}  // namespace mixtape::data

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mixtape::tests {

/// All matches of a regular expression (ECMAScript, `^` and `$` at lines) in `text`, each with its groups: [0] is all
/// of it.
std::vector<std::vector<std::string>> matches_of(const std::string& pattern, const std::string& text);

/// Whether `part` occurs in `text`.
bool contains(const std::string& text, const std::string& part);

/// How many times `part` occurs in `text`.
int64_t occurrences(const std::string& text, const std::string& part);

/// `text` without spaces, line breaks and slashes: how code and comments are broken into lines does not count.
std::string squeezed(const std::string& text);

}  // namespace mixtape::tests

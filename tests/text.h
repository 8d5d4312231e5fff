#pragma once

#include <string>
#include <vector>

namespace mixtape::tests {

/// All matches of a regular expression (ECMAScript, `^` and `$` at lines) in `text`, each with its groups: [0] is all
/// of it.
std::vector<std::vector<std::string>> matches_of(const std::string& pattern, const std::string& text);

}  // namespace mixtape::tests

#include "tests/text.h"

#include <regex>

namespace mixtape::tests {

std::vector<std::vector<std::string>> matches_of(const std::string& pattern, const std::string& text) {
  const std::regex expression(pattern, std::regex::multiline);
  std::vector<std::vector<std::string>> all;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), last; match != last; ++match) {
    all.emplace_back(match->begin(), match->end());
  }
  return all;
}

}  // namespace mixtape::tests

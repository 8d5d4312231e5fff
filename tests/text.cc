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

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

int64_t occurrences(const std::string& text, const std::string& part) {
  int64_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::string squeezed(const std::string& text) {
  std::string result;
  for (const char c : text)
    if (c != ' ' && c != '\n' && c != '/') result += c;
  return result;
}

}  // namespace mixtape::tests

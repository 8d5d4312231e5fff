#pragma once

#include <string>
#include <vector>

#include "autograd/files/file.h"
#include "autograd/files/json.h"

namespace mixtape::tests {

/// Sentences with the scores that sacreBLEU gives them.
inline Json sacrebleu_cases() {
  const std::string path = MIXTAPE_GOLDEN_DIR "/sacrebleu/cases.json";
  return parse_json(read_file(path), path);
}

inline std::vector<std::string> lines_of(const Json& texts) {
  std::vector<std::string> lines;
  for (const Json& text : texts.get<Json::Array>()) lines.push_back(text.get<std::string>());
  return lines;
}

}  // namespace mixtape::tests

// The lab's README quotes lines of the sources, as `file: text`.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "autograd/files/file.h"
#include "tests/text.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

const std::string kSources = MIXTAPE_SOURCE_DIR "/";

}  // namespace

TEST_CASE("attention_lab readme: each quoted line stands in its file") {
  const std::string readme = read_file(kSources + "examples/attention_lab/README.md");
  const auto quotes = tests::matches_of(R"(`([a-z_/0-9]+\.(?:cc|h)): ([^`]+)`)", readme);
  CHECK(quotes.size() >= 30);
  for (const std::vector<std::string>& quote : quotes) {
    CAPTURE(quote[0]);
    REQUIRE(std::filesystem::exists(kSources + quote[1]));
    CHECK(squeezed(read_file(kSources + quote[1])).find(squeezed(quote[2])) != std::string::npos);
  }
}

TEST_CASE("attention_lab readme: nothing that looks like a quote is left unread") {
  const std::string readme = read_file(kSources + "examples/attention_lab/README.md");
  const auto quotes = tests::matches_of(R"(`([a-z_/0-9]+\.(?:cc|h)): ([^`]+)`)", readme);
  CHECK(tests::matches_of(R"(\.(?:cc|h): )", readme).size() == quotes.size());
}

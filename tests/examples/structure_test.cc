// The rules of the house, read from the sources: which folder may include which, and where Highway, BLAS and threads
// may appear.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "autograd/files/file.h"
#include "tests/text.h"

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = MIXTAPE_SOURCE_DIR;

struct Include {
  std::string file, target;
};

// All #include lines of the sources below a folder of the project.
std::vector<Include> includes_below(const std::string& folder) {
  std::vector<Include> result;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
    if (entry.path().extension() != ".h" && entry.path().extension() != ".cc") continue;
    const std::string text = mixtape::read_file(entry.path().string());
    for (const auto& match : mixtape::tests::matches_of(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])", text)) {
      result.push_back({fs::relative(entry.path(), kRoot).string(), match[1]});
    }
  }
  return result;
}

bool starts_with_any(const std::string& text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return text.starts_with(prefix); });
}

const std::vector<std::string> kRooms = {"autograd/", "nn/", "optim/", "data/", "examples/", "tests/"};

void check_doors(const std::string& folder, const std::vector<std::string>& allowed) {
  const std::vector<Include> all = includes_below(folder);
  CHECK(!all.empty());
  for (const Include& include : all) {
    CAPTURE(include.file);
    CAPTURE(include.target);
    if (starts_with_any(include.target, kRooms)) CHECK(starts_with_any(include.target, allowed));
  }
}

}  // namespace

TEST_CASE("structure: doors open one way") {
  check_doors("autograd", {"autograd/"});
  check_doors("autograd/kernels", {"autograd/kernels/"});
  check_doors("nn", {"nn/", "autograd/"});
  check_doors("optim", {"optim/", "autograd/"});
  check_doors("data", {"data/", "autograd/"});
  check_doors("examples", {"examples/", "nn/", "optim/", "data/", "autograd/"});
}

TEST_CASE("structure: only autograd and optim enter the kernels") {
  for (const char* folder : {"nn", "data", "examples"}) {
    for (const Include& include : includes_below(folder)) {
      CAPTURE(include.file);
      CHECK(!include.target.starts_with("autograd/kernels/"));
    }
  }
}

TEST_CASE("structure: public headers include no private ones") {
  const auto is_private = [](const std::string& path) {
    return path.find("/internal/") != std::string::npos || path.starts_with("autograd/kernels/") ||
           path.starts_with("data/toy_grammar/");
  };
  for (const char* folder : {"autograd", "nn", "optim", "data"}) {
    for (const Include& include : includes_below(folder)) {
      if (!include.file.ends_with(".h") || is_private(include.file)) continue;
      CAPTURE(include.file);
      CAPTURE(include.target);
      CHECK(!is_private(include.target));
    }
  }
}

TEST_CASE("structure: private headers of a room are included by that room and its tests only") {
  for (const char* folder : {"autograd", "nn", "optim", "data", "examples"}) {
    for (const Include& include : includes_below(folder)) {
      const size_t end = include.target.find("/internal/");
      if (end == std::string::npos) continue;
      CAPTURE(include.file);
      CAPTURE(include.target);
      CHECK(include.file.starts_with("autograd/"));
    }
  }
}

TEST_CASE("structure: Highway only in kernels, BLAS only in gemm, compute threads only in parallel") {
  for (const char* folder : {"autograd", "nn", "optim", "data", "examples"}) {
    for (const Include& include : includes_below(folder)) {
      CAPTURE(include.file);
      CAPTURE(include.target);
      if (include.target.starts_with("hwy/")) CHECK(include.file.starts_with("autograd/kernels/"));
      if (include.target == "cblas.h") CHECK(include.file.starts_with("autograd/kernels/gemm/"));
      if (include.target == "thread" && !include.file.starts_with("data/prefetch")) {
        CHECK(include.file.starts_with("autograd/kernels/parallel"));
      }
    }
  }
}

TEST_CASE("structure: nothing else at the top") {
  const std::set<std::string> expected = {"autograd", "nn",          "optim",     "data",   "examples",
                                          "tests",    "meson.build", "README.md", "LICENSE"};
  for (const auto& entry : fs::directory_iterator(kRoot)) {
    const std::string name = entry.path().filename().string();
    CAPTURE(name);
    const bool made =
        name.starts_with(".") || name.starts_with("build") || name == "runs";  // by git, meson and the programs
    CHECK((made || expected.contains(name)));
  }
}

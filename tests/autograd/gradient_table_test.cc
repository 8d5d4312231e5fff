#include "tests/autograd/gradient_table.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "autograd/ops.h"
#include "autograd/tape.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

const std::string kSources = MIXTAPE_SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> matches_in(const std::string& text, const char* pattern) {
  const std::regex expression(pattern, std::regex::ECMAScript | std::regex::multiline);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match)
    found.insert((*match)[1]);
  return found;
}

std::set<std::string> declared_ops() {
  return matches_in(text_of(kSources + "/autograd/ops.h"),
                    R"(^(?:inline )?(?:Tensor|TopK|std::vector<Tensor>) (operator\S|\w+)\()");
}

std::set<std::string> recorded_names() {
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(kSources + "/autograd/ops"))
    names.merge(matches_in(text_of(file.path()), R"(\brecord\(\s*"(\w+)\")"));
  return names;
}

}  // namespace

TEST_CASE("gradients of every op, first and second order") { check_gradients(op_gradient_rows()); }

TEST_CASE("every op of ops.h is in the gradient table") {
  std::set<std::string> missing = declared_ops();
  CHECK(missing.size() > 35);
  CHECK(missing.contains("operator/"));
  CHECK(missing.contains("scaled_dot_product_attention"));
  for (const GradientRow& row : op_gradient_rows()) missing.erase(subject_of(row));
  for (const std::string& name : missing) FAIL_CHECK("no row checks " << name);
}

TEST_CASE("every name that an op records is met when the rows run") {
  std::set<std::string> missing = recorded_names();
  CHECK(missing.size() > 25);
  for (const GradientRow& row : op_gradient_rows()) {
    Tape tape(TapeOptions{.random = row.options.random});
    for (const Tensor& x : row.inputs)
      if (x.dtype() == f64) tape.watch(x);
    row.f(row.inputs);
    for (int32_t i = 0; i < tape.size(); ++i) missing.erase(tape.line(i).op);
  }
  for (const std::string& name : missing) FAIL_CHECK("no row records " << name);
}

TEST_CASE("the subject of a row is its name up to the comma") {
  CHECK(subject_of({"matmul, both transposed", {}, {}}) == "matmul");
  CHECK(subject_of({"exp", {}, {}}) == "exp");
}

#include "tests/autograd/gradient_table.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tape/tape_listing.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

const std::string kSources = MIXTAPE_SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

// The functions that return tensors.
std::set<std::string> declared_ops() {
  std::set<std::string> names;
  std::istringstream lines(text_of(kSources + "/autograd/ops.h"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("inline ")) line.erase(0, 7);
    for (const std::string type : {"Tensor ", "TopK ", "BatchNormed ", "std::vector<Tensor> "}) {
      const size_t end = line.find('(');
      if (line.starts_with(type) && end != std::string::npos) names.insert(line.substr(type.size(), end - type.size()));
    }
  }
  return names;
}

// The first arguments of record() in the sources of ops.
std::set<std::string> recorded_names() {
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(kSources + "/autograd/ops")) {
    if (file.path().extension() != ".cc") continue;
    const std::string text = text_of(file.path()), call = "record(";
    for (size_t at = text.find(call); at != std::string::npos; at = text.find(call, at + 1)) {
      const size_t quote = text.find_first_not_of(" \n", at + call.size());
      if (text[quote] == '"') names.insert(text.substr(quote + 1, text.find('"', quote + 1) - quote - 1));
    }
  }
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

#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "autograd/files/file.h"
#include "autograd/files/safetensors.h"
#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "tests/text.h"

/// Comparison with what PyTorch computed: the fixtures that make_torch.py wrote to tests/golden/torch.
namespace mixtape::golden {

/// The largest difference, relative to the largest expected value, that a tensor may show.
inline double tolerance(DType dtype) { return dtype == f64 ? 1e-10 : 1e-5; }

/// What the largest value of a gradient counts as at least, relative to the largest gradient of its case: where a
/// gradient is 0 in exact arithmetic, as a key's bias, rounding is all there is. In f32 this allows differences of 1e-7
/// of the largest gradient.
inline constexpr double kSmallestScale = 1e-2;

inline double largest(const Tensor& x) {
  double most = 0;
  for (double value : x.values()) most = std::max(most, std::abs(value));
  return most;
}

/// The largest difference over the largest expected value (or `scale`, if that is larger). NaN if a value is.
inline double difference(const Tensor& actual, const Tensor& expected, double scale = 0) {
  const std::vector<double> a = actual.values(), e = expected.values();
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(a[i] - e[i]);
    if (std::isnan(d)) return d;
    most = std::max(most, d);
  }
  return most == 0 ? 0 : most / std::max(largest(expected), scale);
}

/// Checks shape and numbers; index tensors have to be equal.
inline void check_near(const std::string& what, const Tensor& actual, const Tensor& expected, double scale = 0) {
  CAPTURE(what);
  REQUIRE_MESSAGE(actual.defined(), what << " is missing");
  REQUIRE(to_string(actual.shape()) == to_string(expected.shape()));
  REQUIRE((actual.dtype() == i32) == (expected.dtype() == i32));
  if (expected.dtype() == i32) {
    CHECK(actual.values() == expected.values());
  } else {
    CHECK(difference(actual, expected, scale) <= tolerance(actual.dtype()));
  }
}

/// A fixture file: tensors named `<case>/<group>/<name>`.
class File {
 public:
  explicit File(const std::string& name) {
    const std::string path = MIXTAPE_GOLDEN_DIR "/torch/" + name + ".safetensors";
    file_ = from_safetensors(read_file(path), path);
    REQUIRE(!file_.metadata.at("torch").empty());
  }

  /// The tensors of one group of a case, under their own names; values converted to `dtype`.
  NamedTensors group(const std::string& case_name, const std::string& group, DType dtype) const {
    const std::string prefix = case_name + "/" + group + "/";
    NamedTensors found;
    for (const auto& [name, tensor] : file_.tensors) {
      if (!name.starts_with(prefix)) continue;
      found.push_back({name.substr(prefix.size()), tensor.dtype() == i32 ? tensor : tensor.to(dtype)});
    }
    return found;
  }

  std::set<std::string> cases() const {
    std::set<std::string> names;
    for (const auto& [name, tensor] : file_.tensors) names.insert(name.substr(0, name.rfind('/', name.rfind('/') - 1)));
    return names;
  }

 private:
  Safetensors file_;
};

/// One case, in one dtype: what goes in, put on the tape where PyTorch gave a gradient, and what is expected.
class Case {
 public:
  Case(const File& file, const std::string& name, DType dtype)
      : file_(file), name_(name), dtype_(dtype), inputs_(group("in")) {}

  DType dtype() const { return dtype_; }
  NamedTensors group(const char* name) const { return file_.group(name_, name, dtype_); }
  NamedTensors expected(const char* name) const { return file_.group(name_, name, f64); }

  Tensor operator[](const char* name) const {
    const Tensor found = find(inputs_, name);
    REQUIRE_MESSAGE(found.defined(), name_ << " has no input " << name);
    return found;
  }
  /// Bounds of sequences, from an input with their lengths.
  Bounds bounds(const char* lengths) const {
    const std::vector<double> values = (*this)[lengths].values();
    return Bounds(std::vector<int64_t>(values.begin(), values.end()));
  }
  /// Fills weights and buffers with those of the case, and has the gradients of the weights compared.
  void load(const NamedTensors& tensors) {
    copy_into(group("parameter"), tensors, name_);
    for (const NamedTensor& each : tensors)
      if (each.tensor.is_parameter()) parameters_.push_back(each);
  }

  /// Runs a function of the case and compares its results and all gradients.
  template <class Function>
  void check(const Function& function) {
    CAPTURE(name_);
    Tape tape;
    for (const auto& [name, gradient] : expected("grad")) tape.watch((*this)[name.c_str()]);
    const std::vector<Tensor> results = function(*this);
    const NamedTensors outs = expected("out");
    REQUIRE(results.size() == outs.size());
    for (size_t i = 0; i < results.size(); ++i) {
      const std::string index = std::to_string(i);
      check_near(name_ + ": result " + index, results[i], find(outs, index));
    }
    const Tensor loss = loss_of(results);
    if (!loss) return;
    tape.backward(loss);
    check_gradients(tape);
  }

  /// Compares the gradients that backward left.
  void check_gradients(const Tape& tape) const {
    const NamedTensors inputs = expected("grad"), weights = expected("parameter_grad");
    REQUIRE(weights.size() == parameters_.size());
    double scale = 0;
    for (const NamedTensors* all : {&inputs, &weights}) {
      for (const NamedTensor& each : *all) scale = std::max(scale, kSmallestScale * largest(each.tensor));
    }
    for (const auto& [name, gradient] : inputs) {
      check_near(name_ + ": gradient of " + name, tape.gradient((*this)[name.c_str()]), gradient, scale);
    }
    for (const auto& [name, gradient] : weights) {
      check_near(name_ + ": gradient of " + name, find(parameters_, name).gradient(), gradient, scale);
    }
  }

 private:
  Tensor loss_of(const std::vector<Tensor>& results) const {
    Tensor loss;
    for (const auto& [index, seed] : group("seed")) {
      const Tensor part = sum(results[std::stoul(index)] * seed);
      loss = loss ? loss + part : part;
    }
    return loss;
  }

  const File& file_;
  std::string name_;
  DType dtype_;
  NamedTensors inputs_;
  NamedTensors parameters_;
};

/// What a function under test gives: one tensor or several.
struct Results : std::vector<Tensor> {
  Results(const Tensor& only) : vector{only} {}                         // NOLINT: `return exp(x);`
  Results(std::initializer_list<Tensor> several) : vector(several) {}   // NOLINT
  Results(std::vector<Tensor> several) : vector(std::move(several)) {}  // NOLINT
};

/// How mixtape computes a case of a fixture file.
struct Row {
  std::string name;
  std::function<Results(Case&)> compute;
};

/// Compares every row with its case, and sees to it that each case of the file has a row.
inline void check_rows(const std::string& file_name, const std::vector<Row>& rows, DType dtype) {
  const File file(file_name);
  std::set<std::string> left = file.cases();
  for (const Row& row : rows) {
    REQUIRE_MESSAGE(left.erase(row.name) == 1, file_name << " has no case " << row.name);
    Case(file, row.name, dtype).check(row.compute);
  }
  for (const std::string& name : left) FAIL_CHECK("no row computes " << name);
}

/// What `pattern` captures in the lines of a source file, from its start to the line `end`.
inline std::set<std::string> declared_in(const std::string& source, const char* pattern, const std::string& end = "") {
  std::string text = read_file(source);
  if (!end.empty()) {
    REQUIRE(text.find(end) != std::string::npos);
    text.resize(text.find(end));
  }
  std::set<std::string> names;
  for (const auto& match : tests::matches_of(pattern, text)) names.insert(match[1]);
  return names;
}

/// Fails for each name that is not the part before the dot of some case of the file, unless it is one of `without`,
/// which have none.
inline void check_covers(const std::string& file_name, const std::set<std::string>& names,
                         const std::set<std::string>& without) {
  std::set<std::string> covered;
  for (const std::string& name : File(file_name).cases()) covered.insert(name.substr(0, name.find('.')));
  for (const std::string& name : names)
    CHECK_MESSAGE(covered.contains(name) != without.contains(name), "compared, or listed as not compared: " << name);
  for (const std::string& name : without) CHECK_MESSAGE(names.contains(name), "not declared: " << name);
}

}  // namespace mixtape::golden

#include "examples/attention_lab/tape_lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/ops.h"
#include "examples/attention_lab/explanation.h"

namespace mixtape::attention_lab {
namespace {

using Names = std::vector<std::string>;

// The recorded layer, and the names of its lines.
class Recording {
 public:
  explicit Recording(const AttentionLayer& layer) : layer_(layer) {
    std::vector<std::pair<std::string, Tensor>> shown;
    const Tensor loss = run(layer, [&](const std::string& name, const Tensor& value) {
      if (layer.given.contains(name)) tape_.watch(value);
      if (!name.starts_with("X_")) shown.emplace_back(name, value);
      return value;
    });
    forward_ = tape_.size();
    names_.resize(static_cast<size_t>(forward_));
    std::vector<Tensor> inputs;
    for (const auto& [name, value] : shown) {
      Names& names = names_[static_cast<size_t>(tape_.find(value))];
      names.push_back(name);
      if (names.size() == 1 && name != "G" && name != "L") inputs.push_back(value);
    }
    const std::vector<Tensor> gradients = tape_.gradients(loss, inputs, {.record = true});
    names_.resize(static_cast<size_t>(tape_.size()));
    for (size_t i = 0; i < inputs.size(); ++i) name_gradient(inputs[i], gradients[i]);
  }

  std::vector<TapeLine> lines() const {
    std::vector<TapeLine> result;
    for (int32_t i = 0; i < tape_.size(); ++i) result.push_back(describe(tape_.line(i)));
    return result;
  }

 private:
  const Names& names(int32_t line) const { return names_[static_cast<size_t>(line)]; }

  void name_gradient(const Tensor& x, const Tensor& gradient) {
    const int32_t line = tape_.find(gradient);
    if (line < 0) return;
    for (const std::string& name : names(tape_.find(x))) names_[static_cast<size_t>(line)].push_back("d" + name);
  }

  std::string name_of(int32_t line) const {
    if (line < 0) return "constant";
    return names(line).empty() ? fmt::format("%{}", line) : names(line)[0];
  }

  Names names_of(const std::vector<int32_t>& lines) const {
    Names result;
    for (int32_t line : lines) result.push_back(name_of(line));
    return result;
  }

  // Q_heads is Q in a different layout; product and masked are stages of S.
  static std::string matrix_of(std::string name) {
    const bool gradient = name.starts_with("d");
    std::string base = gradient ? name.substr(1) : name;
    if (const size_t heads = base.find("_heads"); heads != std::string::npos) base.resize(heads);
    if (base == "product" || base == "masked") base = "S";
    return gradient ? "d" + base : base;
  }

  // The branch of a projection: dY W, which has a name only if it is the whole gradient of X.
  std::string branch_of(const LineView& view) const {
    const Names &from = names(view.rule_of), &own = names(view.line);
    const std::string back = gradient_of_input(view.rule_of);
    if (from.empty() || (back != "dX" && back != "dmemory") || std::string_view(view.op) == "add") return {};
    if (!(view.shape == layer_.given.at(back.substr(1)).shape())) return {};
    if (own.empty() ? !names(view.inputs.at(0)).empty() : own[0] != back) return {};
    return from[0] == "Q" ? "dX_query" : from[0] == "K" ? "dX_key" : "dX_value";
  }

  // The gradient of the first input of a line: dX for the line of Q.
  std::string gradient_of_input(int32_t line) const {
    const int32_t input = tape_.line(line).inputs.at(0);
    return input < 0 || names(input).empty() ? std::string() : "d" + names(input)[0];
  }

  Names matrices_of(const LineView& view) const {
    Names found;
    const auto add = [&](const std::string& name) {
      const std::string matrix = matrix_of(name);
      if (!matrix.empty() && std::find(found.begin(), found.end(), matrix) == found.end()) found.push_back(matrix);
    };
    if (view.rule_of >= 0) add(branch_of(view));
    for (const std::string& name : names(view.line)) add(name);
    if (!found.empty()) return found;
    if (!view.backward) {
      for (int32_t next = view.line + 1; next < forward_ && found.empty(); ++next)
        for (const std::string& name : names(next)) add(name);
    } else if (std::string_view(view.op) == "add" && view.rule_of >= 0) {
      add(gradient_of_input(view.rule_of));
    } else if (view.rule_of >= 0) {
      for (int32_t input : tape_.line(view.rule_of).inputs)
        if (input >= 0 && !names(input).empty()) add("d" + names(input)[0]);
    }
    return found;
  }

  TapeLine describe(const LineView& view) const {
    TapeLine result{view, names_of(view.inputs), names_of(view.saved), {}, rule_of_op(view.op), matrices_of(view)};
    const Names& own = names(view.line);
    if (!own.empty()) {
      const Explanation said = explain(layer_, own[0]);
      result.formula = said.formula;
      if (!view.backward && !said.rule.empty()) result.rule = said.rule;
    }
    if (result.formula.empty())
      result.formula = fmt::format("%{} = {}({})", view.line, view.op, fmt::join(result.inputs, ", "));
    return result;
  }

  const AttentionLayer& layer_;
  Tape tape_;
  int32_t forward_ = 0;
  std::vector<Names> names_;  // by line
};

}  // namespace

std::vector<TapeLine> tape_lines(const AttentionLayer& layer) { return Recording(layer).lines(); }

}  // namespace mixtape::attention_lab

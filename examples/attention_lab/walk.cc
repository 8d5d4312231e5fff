#include "examples/attention_lab/walk.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "autograd/ops.h"
#include "examples/attention_lab/explanation.h"

namespace mixtape::attention_lab {
namespace {

constexpr int64_t kColumns = 8;  // of a matrix, side by side

// A [H, .., ..] tensor: the chosen head.
Tensor of_head(const Tensor& x, int64_t head) {
  if (x.rank() < 3) return x;
  return x.view_rows(head, head + 1).view(Shape{x.size(1), x.size(2)});
}

std::string shape_of(const Tensor& x, int64_t head) {
  return x.rank() < 3 ? to_string(x.shape()) : fmt::format("{}, head {} of it", to_string(x.shape()), head);
}

// Row by row, eight columns at a time, with the row of `beside` next to it.
std::string table(const Tensor& x, const Tensor& beside = {}) {
  const int64_t columns = std::max<int64_t>(x.rank() == 0 ? 1 : x.size(-1), 1), rows = x.elements() / columns;
  const std::vector<double> values = x.values(), others = beside ? beside.values() : std::vector<double>{};
  std::string text;
  for (int64_t first = 0; first < columns; first += kColumns) {
    const int64_t end = std::min(first + kColumns, columns);
    if (columns > kColumns) text += fmt::format("  columns {} to {}\n", first, end - 1);
    for (int64_t i = 0; i < rows; ++i) {
      const auto numbers = [&](const std::vector<double>& from) {
        for (int64_t j = first; j < end; ++j)
          text += fmt::format(" {:10.6f}", from[static_cast<size_t>(i * columns + j)]);
      };
      text += fmt::format("  {:>3} ", i);
      numbers(values);
      if (beside) text += "   |";
      if (beside) numbers(others);
      text += '\n';
    }
  }
  return text;
}

std::string text_of_line(const TapeLine& line) {
  const LineView& view = line.view;
  std::string text =
      fmt::format("%{} = {}({})  {}", view.line, view.op, fmt::join(line.inputs, ", "), to_string(view.shape));
  if (!line.saved.empty()) text += fmt::format("  saves {}, {} B", fmt::join(line.saved, ", "), view.saved_bytes);
  if (view.rule_of >= 0) text += fmt::format("  backward of %{}", view.rule_of);
  return text;
}

class Steps {
 public:
  explicit Steps(const Study& study) : study_(study), preset_(study.preset), layer_(preset_.attention) {
    setting();
    for (const char* name : {"X", "memory", "Q", "K", "V", "S"}) computed(name);
    if (layer_.hides()) mask();
    for (const char* name : {"A", "O", "joined", "Y", "L"}) computed(name);
    for (const char* name : {"dY", "djoined", "dO", "dV", "dA"}) gradient(name);
    jacobian();
    for (const char* name : {"dS", "dQ", "dK", "dX_query", "dX_key", "dX_value", "dX", "dmemory", "dWq", "dbq", "dWk",
                             "dbk", "dWv", "dbv", "dWo", "dbo"})
      gradient(name);
    tape();
    tiled();
    hessian();
  }

  std::vector<WalkStep> take() { return std::move(steps_); }

 private:
  void setting() {
    std::string text =
        fmt::format("{}\nlayer {}, head {} of {}, query {} ({})\n", preset_.about, preset_.layer, preset_.head,
                    layer_.heads, preset_.query, preset_.queries[static_cast<size_t>(preset_.query)]);
    text += fmt::format("queries: {}\nkeys: {}\n", fmt::join(preset_.queries, "  "), fmt::join(preset_.keys, "  "));
    for (const char* name : {"Wq", "bq", "Wk", "bk", "Wv", "bv", "Wo", "bo"}) {
      const Tensor value = find(layer_.given, name);
      if (value) text += fmt::format("{} {}\n{}", name, to_string(value.shape()), table(value));
    }
    steps_.push_back({preset_.title, text});
  }

  // The forward line that computes `name`.
  std::string line_of(const std::string& name) const {
    std::string text;
    for (const TapeLine& line : study_.tape) {
      const auto& names = line.matrices;
      if (std::find(names.begin(), names.end(), name) != names.end()) text += "  " + text_of_line(line) + "\n";
    }
    return text;
  }

  void computed(const std::string& name) {
    const Tensor value = study_.forward.contains(name) ? study_.forward.at(name) : find(layer_.given, name);
    if (!value) return;
    const auto [formula, rule] = explain(layer_, name);
    std::string text = line_of(name) + fmt::format("{} {}\n", name, shape_of(value, preset_.head));
    text += table(of_head(value, preset_.head));
    if (name == "A") text += row_sums(of_head(value, preset_.head));
    steps_.push_back({formula, text + "backward: " + rule + "\n"});
  }

  static std::string row_sums(const Tensor& a) {
    return fmt::format("row sums: {}\n", fmt::join(sum(a, -1).values(), ", "));
  }

  void mask() {
    const auto [formula, rule] = explain(layer_, "masked");
    std::string text = line_of("S");
    const int32_t* seen = layer_.mask.data<int32_t>();
    for (int64_t i = 0; i < layer_.queries(); ++i, seen += layer_.keys())
      text += fmt::format("  {:>3}  {}\n", i, fmt::join(seen, seen + layer_.keys(), " "));
    steps_.push_back({formula, text + "backward: " + rule + "\n"});
  }

  void gradient(const std::string& name) {
    if (!study_.backward.contains(name)) return;
    const Tensor &analytic = study_.backward.at(name), &numeric = study_.numeric.at(name);
    const auto [formula, rule] = explain(layer_, name);
    std::string text =
        line_of(name) + fmt::format("{} {}: by the rule | numeric\n", name, shape_of(analytic, preset_.head));
    text += table(of_head(analytic, preset_.head), of_head(numeric, preset_.head));
    text += fmt::format("largest difference {:.1e}\n", largest_difference(analytic, numeric));
    steps_.push_back({formula, text + rule + "\n"});
  }

  // Of the softmax at the chosen row: diag(a) - a a'.
  void jacobian() {
    const Tensor a = of_head(study_.forward.at("A"), preset_.head);
    const std::vector<double> row = a.view_rows(preset_.query, preset_.query + 1).values();
    std::vector<double> values;
    for (size_t i = 0; i < row.size(); ++i)
      for (size_t j = 0; j < row.size(); ++j) values.push_back((i == j ? row[i] : 0) - row[i] * row[j]);
    const int64_t n = std::ssize(row);
    const std::string text = fmt::format("of query {}: the derivative of each weight of its row by each score\n{}",
                                         preset_.query, table(Tensor::from(values, {n, n}, f64))) +
                             "A weight grows with its own score and shrinks with the others. dS of a row is the row "
                             "of dA times this matrix.\n";
    steps_.push_back({"the softmax's Jacobian, diag(a) - a a'", text});
  }

  void tape() {
    std::string text;
    for (const TapeLine& line : study_.tape) text += text_of_line(line) + "\n    " + line.formula + "\n";
    steps_.push_back({"the tape, forward and recorded backward", text});
  }

  void tiled() {
    const Tiled& tiled = study_.tiled;
    std::string text = fmt::format("query {}, blocks of {} keys\n", preset_.query, tiled.block);
    for (const TiledBlock& block : tiled.rows[static_cast<size_t>(preset_.query)]) {
      text += fmt::format("  from key {}: scores {:.6f}; max {:.6f}, shrink {:.6f}, sum {:.6f}\n    output {:.6f}\n",
                          block.first, fmt::join(block.scores, " "), block.max, block.shrink, block.sum,
                          fmt::join(block.output, " "));
    }
    text += fmt::format("largest difference from untiled attention, over O, dQ, dK and dV: {:.1e}\n", tiled.difference);
    steps_.push_back({"tiled: block by block, without storing a row of scores", text});
  }

  void hessian() {
    const HessianProduct& h = study_.hessian;
    std::string text = fmt::format("direction v\n{}", table(h.direction));
    text += fmt::format("H v, by the recorded backward pass | numeric\n{}", table(h.product, h.numeric));
    text += fmt::format("largest difference {:.1e}\n", largest_difference(h.product, h.numeric));
    steps_.push_back({"second order: the derivative of dX along a direction v, that of dX itself", text});
  }

  const Study& study_;
  const Preset& preset_;
  const AttentionLayer& layer_;
  std::vector<WalkStep> steps_;
};

// While it exists, keys are read one by one.
class KeyByKey {
 public:
  KeyByKey() {
    tcgetattr(STDIN_FILENO, &before_);
    termios now = before_;
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &now);
  }
  ~KeyByKey() { tcsetattr(STDIN_FILENO, TCSANOW, &before_); }
  KeyByKey(const KeyByKey&) = delete;
  KeyByKey& operator=(const KeyByKey&) = delete;

 private:
  termios before_ = {};
};

void print(const std::vector<WalkStep>& steps, size_t i) {
  fmt::print("[{}/{}] {}\n{}\n", i + 1, steps.size(), steps[i].title, steps[i].text);
}

void page_through(const std::vector<WalkStep>& steps) {
  const KeyByKey keys;
  for (size_t i = 0;;) {
    print(steps, i);
    fmt::print("n: forward, p: back, q: quit\n");
    std::fflush(stdout);
    const size_t before = i;
    while (i == before) {
      char key = 'q';
      if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q') return;
      if (key == 'p' && i > 0) --i;
      if ((key == 'n' || key == ' ' || key == '\n') && ++i == steps.size()) return;
    }
  }
}

}  // namespace

std::vector<WalkStep> walk_steps(const Study& study) { return Steps(study).take(); }

void walk(const Study& study) {
  const std::vector<WalkStep> steps = walk_steps(study);
  if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) return page_through(steps);
  for (size_t i = 0; i < steps.size(); ++i) print(steps, i);
}

}  // namespace mixtape::attention_lab

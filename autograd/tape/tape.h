#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autograd/tape/composed.h"
#include "autograd/tape/rule.h"
#include "autograd/tape/scope.h"
#include "autograd/tensors/random.h"
#include "autograd/tensors/tensor.h"

namespace mixtape {

struct LineView;

/// Records `y`, just computed by `op` from `inputs`, on the tape in scope, and returns it. Nothing is recorded if there
/// is no tape, or if no input is on it. Each input that is on the tape needs a rule. `composed` stands in for the rules
/// when backward is itself recorded, and may be left out where they are written with ops.
Tensor record(const char* op, Tensors inputs, Tensor y, Rules rules, const Composed& composed = {});

/// For an op that has no derivative or no rule: throws if an input is on the tape in scope, so that no gradient is lost
/// silently.
void refuse_tracked(const char* op, Tensors inputs);

/// Where one random op draws from (see RandomKey): the key of the step, and how many random ops the tape had seen
/// before.
struct RandomDraw {
  RandomKey key;
  uint32_t op;
};

/// Keeps a hook installed; destroying it, or calling remove(), takes the hook out again. Safe inside the hook, too.
class Hook {
 public:
  Hook() = default;
  explicit Hook(std::shared_ptr<void> owner) : owner_(std::move(owner)) {}
  void remove() { owner_.reset(); }

 private:
  std::shared_ptr<void> owner_;
};

struct TapeOptions {
  /// If set, the tape trains: dropout draws from it and batch norm uses the batch.
  std::optional<RandomKey> random = {};
  /// Save the inputs of every line, which a recorded backward of fused ops needs. A training step does without, and
  /// takes less memory.
  bool save_inputs = true;
};

struct BackwardOptions {
  /// Results on the tape whose gradients `gradient()` should give afterwards. (Watched inputs are kept in any case.)
  std::vector<Tensor> keep = {};
  /// Retain the lines, so that backward can be run again.
  bool retain_tape = false;
  /// The gradient to start from, of the loss's shape; 1 for a scalar loss if undefined.
  Tensor seed = {};
};

struct GradientsOptions {
  /// Record the backward pass as further lines, to be printed or differentiated again. The tape stays open.
  bool record = false;
  bool retain_tape = false;
  Tensor seed = {};
};

/// Records what is computed while it is in scope, on its thread, and plays it backwards.
///
/// Lines stand in the order of recording, which is a topological order, so backward is a loop from the last line to the
/// first. The tape owns its lines and what they save, and frees all of it when its scope ends. Where no tape is in
/// scope nothing is recorded: that is inference. One tape a thread may be open, and a parameter may be on one open tape
/// at a time.
class Tape {
 public:
  /// A tape that only differentiates: dropout passes everything through. Second derivatives work.
  Tape() : Tape(TapeOptions{}) {}
  /// A tape that trains; random ops draw from `key`. Saves no more than first derivatives need.
  explicit Tape(RandomKey key) : Tape(TapeOptions{.random = key, .save_inputs = false}) {}
  explicit Tape(TapeOptions options);
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Puts an input, which is no parameter, on the tape, so that what is computed from it is recorded. Returns x.
  Tensor watch(const Tensor& x);

  /// Computes d loss / d p for every parameter p that the loss depends on, and adds it to p.gradient(). Afterwards the
  /// tape is spent: later ops are not recorded. If a rule or a hook throws, no parameter's gradient has changed. Throws
  /// if the loss is not on this tape, not a scalar (without a seed), or the tape is spent.
  void backward(Tensor loss, const BackwardOptions& options = {});

  /// d loss / d x after backward, for a watched input or a result named in `keep`; zeros if the loss does not depend on
  /// it.
  Tensor gradient(const Tensor& x) const;

  /// d loss / d input for each input (parameters, watched inputs or results), without touching any p.gradient(). An
  /// input that the loss does not depend on gets zeros.
  std::vector<Tensor> gradients(const Tensor& loss, const std::vector<Tensor>& inputs,
                                const GradientsOptions& options = {});

  /// Calls `hook` in backward with the whole gradient of x, just before it is passed on. A defined tensor that the hook
  /// returns, of the same shape, takes the gradient's place.
  Hook on_gradient(const Tensor& x, std::function<Tensor(const Tensor& gradient)> hook);

  bool trains() const { return options_.random.has_value(); }
  bool spent() const { return spent_; }
  /// Number of lines.
  int32_t size() const { return size_; }
  /// A line, to be looked at (see tape_listing.h).
  LineView line(int32_t index) const;
  /// What the rules of a line will read: the tensors of LineView::saved. None once it is released.
  std::vector<Tensor> saved(int32_t index) const;
  /// The line that x was computed on, or -1 if it is not on this tape.
  int32_t find(const Tensor& x) const;
  /// Bytes held for backward by all lines together, each tensor counted once.
  int64_t saved_bytes() const;

  /// The open tape of this thread that is recording, or nullptr.
  static Tape* recording();
  /// True if an op on x would be recorded now.
  static bool tracks(const Tensor& x);
  /// The draw of the next random op, if a training tape is recording; random ops pass everything through otherwise.
  static std::optional<RandomDraw> draw();

 private:
  friend class Pause;
  friend Tensor record(const char*, Tensors, Tensor, Rules, const Composed&);
  friend void refuse_tracked(const char*, Tensors);
  struct Line;
  struct Range;
  struct LineInput;
  struct LineRule;
  struct SavedTensor;
  struct Lines;
  struct Playing;

  static std::unique_ptr<Lines>& spare_lines();
  int32_t line_of(const Tensor& x);
  int32_t add_leaf(const char* op, const Tensor& x);
  Line new_line(const char* op, const Tensor& y) const;
  int32_t add(Line line, const Tensor& y);
  bool write_line(const char* op, Tensors inputs, const Tensor& y, Rules rules, const Composed& composed);
  bool has_rule(const Line& line, size_t input) const;
  void add_rule(Line& line, Tensors inputs, const Rule& rule);
  Tensor without_elements(const Tensor& x);
  int32_t own_line(const char* caller, const Tensor& x) const;
  const Line& checked_line(int32_t index) const;
  void start(const char* caller, const Tensor& loss, Tensor seed, bool needed);
  bool needs(const LineInput& input) const;
  void mark_needed(size_t first);
  void play_back(int32_t first, int32_t last, const Playing& playing);
  void play_line(size_t index, Tensor dy, const Playing& playing);
  void play_composed(size_t index, const Tensor& dy, const Playing& playing);
  void order_rules(const Line& line);
  std::vector<const Tensor*> still_read(size_t at, const Tensor& dy) const;
  void play_rule(size_t index, size_t at, Tensor& dy, const Playing& playing);
  Gradient destination(const LineInput& input, bool accumulate, const Tensor* over);
  static void call(const char* op, const LineRule& rule, std::span<const Tensor> reads, std::span<Gradient> gradients);
  void add_gradient(int32_t to, Tensor gradient, bool over_dy, const Playing& playing);
  void run_hooks(int32_t index);
  void release(size_t index);
  void add_parameter_gradients();

  TapeOptions options_;
  uint64_t number_;
  int32_t size_ = 0;
  uint32_t draws_ = 0;
  bool recording_ = true;
  bool spent_ = false;
  bool in_backward_ = false;
  int32_t rule_of_ = -1;  // the line whose rule runs now
  std::unique_ptr<Lines> lines_;
};

/// Suspends the tape of this thread until it is destroyed: what is computed meanwhile is a constant.
class Pause {
 public:
  Pause();
  ~Pause();
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  Tape* tape_;
  bool was_recording_ = false;
};

}  // namespace mixtape

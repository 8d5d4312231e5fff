#include "examples/common/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>
#include <optional>

#include "autograd/tape/precision.h"
#include "autograd/tensors/error.h"
#include "examples/common/command_line.h"
#include "examples/common/interrupt.h"
#include "examples/common/progress.h"
#include "nn/save.h"
#include "optim/clip.h"

namespace mixtape::examples {
namespace {

constexpr int64_t kTimedFirst = 10;  // under --minutes the total follows from the time of the steps after this one,
constexpr size_t kTimed = 30;        // this many
constexpr int64_t kLogged = 200;     // least lines of metrics of a run

// The state of the loop; one per process.
class Loop {
 public:
  Loop(const Training& training, bool resume)
      : t_(training),
        resumed_(resume && std::filesystem::exists(training.run.checkpoint())),
        metrics_path_(training.run.metrics()) {
    if (resumed_) restore();
    if (state_.total == 0) state_.total = t_.steps;
    if (t_.steps > 0) state_.total = t_.steps;
    const bool evaluated = state_.evaluated == state_.step;  // then its metrics are valid, whatever their epoch
    metrics_.emplace(metrics_path_, state_.step,
                     evaluated ? std::numeric_limits<double>::infinity() : static_cast<double>(state_.epoch));
    bar_.emplace(ProgressBar::Options{.total = state_.total, .first_step = state_.step, .unit = t_.unit});
    resumed_seconds_ = state_.seconds;
    segment_start_ = last_save_ = seconds_now();
  }

  TrainingState run() {
    const Random random(t_.seed);
    if (resumed_) bar_->message(fmt::format("resuming after step {}", state_.step));
    while (!finished()) {
      bool whole = true;
      const int64_t batches = t_.epoch(state_.epoch, state_.batch, [&](const std::function<StepLoss()>& forward) {
        step(random, forward);
        after_step();
        whole = !finished();
        return whole;
      });
      if (batches == 0) fail("train: no batch to train on");
      if (state_.batch >= batches) next_epoch();
    }
    conclude();
    return state_;
  }

 private:
  bool finished() const {
    if (t_.patience > 0 && state_.since_best >= t_.patience) return true;
    if (state_.total > 0) return state_.step >= state_.total;
    return t_.epochs > 0 && state_.epoch >= t_.epochs;
  }

  void step(const Random& random, const std::function<StepLoss()>& forward) {
    const double rate = t_.learning_rate(state_.step + 1, state_.total);
    t_.optimizer.set_learning_rate(rate);
    Tape tape(random.at(state_.step));
    const StepLoss result = forward();
    tape.backward(result.loss);
    const double norm = optim::clip_grad_norm(t_.optimizer, t_.clip);
    const optim::StepResult applied = t_.optimizer.step();
    if (!applied.applied)
      bar_->message(
          fmt::format("step {} skipped: the gradient of {} is not finite", state_.step + 1, applied.not_finite));
    if (t_.moving_average) t_.moving_average->update();
    ++state_.step;
    ++state_.batch;
    state_.seconds = resumed_seconds_ + seconds_now() - segment_start_;
    const double loss = result.loss.item();
    bar_->update(state_.step, result.items, loss, rate);
    const int64_t every = std::max<int64_t>(1, state_.total / kLogged);
    if (state_.step % every == 0 || state_.step <= 10) log(loss, rate, norm);
  }

  void log(double loss, double rate, double norm) {
    metrics_->write({.step = state_.step,
                     .epoch = static_cast<double>(state_.epoch),
                     .loss = loss,
                     .learning_rate = rate,
                     .grad_norm = norm,
                     .items_per_second = bar_->items_per_second(),
                     .seconds = state_.seconds});
  }

  void after_step() {
    if (state_.total == 0 && t_.minutes > 0) fix_total();
    if (t_.evaluate_every > 0 && state_.step % t_.evaluate_every == 0) evaluate();
    if (interrupt_.requested()) stop();
    if (seconds_now() - last_save_ > t_.checkpoint_seconds) save();
  }

  // Under --minutes: the number of steps that fit the remaining time, from the median of the first ones and one
  // evaluation.
  void fix_total() {
    const double now = seconds_now();
    if (state_.step > kTimedFirst && last_step_ > 0) step_seconds_.push_back(now - last_step_);
    last_step_ = now;
    if (step_seconds_.size() < kTimed) return;
    std::sort(step_seconds_.begin(), step_seconds_.end());
    const double step = step_seconds_[step_seconds_.size() / 2];
    if (t_.evaluate) t_.evaluate();
    const double evaluation = seconds_now() - now;
    const double left = t_.minutes * 60 * (1 - t_.reserve) - (seconds_now() - t_.started) - t_.conclusion * evaluation;
    const double share = t_.epoch_steps > 0 ? evaluation / static_cast<double>(t_.epoch_steps) : 0;
    state_.total = state_.step + std::max<int64_t>(static_cast<int64_t>(left / (step + share)), 1);
    bar_->set_total(state_.total);
    bar_->message(fmt::format("{} steps of {:.0f} ms fit into {} minutes", state_.total, 1000 * step, t_.minutes));
    save();
  }

  void next_epoch() {
    ++state_.epoch;
    state_.batch = 0;
    if (t_.evaluate_every == 0) evaluate();
  }

  void evaluate() {
    const NamedTensors& weights = t_.moving_average ? t_.moving_average->average() : t_.tensors;
    const bool best = t_.average.select() == optim::Select::best;
    if (!best) t_.average.add(weights);
    std::map<std::string, double> values;
    if (t_.evaluate) {
      const optim::TemporaryParameters measured(best ? weights : t_.average.average(), t_.tensors);
      values = t_.evaluate();
    }
    const auto score = values.find(t_.score);
    if (best) t_.average.add(weights, score == values.end() ? 0 : score->second);
    if (score != values.end()) note(score->second);
    state_.evaluated = state_.step;
    if (!values.empty()) report(values);
  }

  void note(double score) {
    ++state_.since_best;
    if (score <= state_.best) return;
    state_.best = score;
    state_.since_best = 0;
  }

  void report(const std::map<std::string, double>& values) {
    std::string text = fmt::format("step {}", state_.step);
    for (const auto& [name, value] : values) text += fmt::format("  {} {:.4g}", name, value);
    bar_->message(text);
    const int64_t epoch = state_.batch > 0 ? state_.epoch + 1 : state_.epoch;
    metrics_->write(
        {.step = state_.step, .epoch = static_cast<double>(epoch), .seconds = state_.seconds, .extra = values});
  }

  void save() {
    TensorGroups groups{{"model", t_.tensors}, {"optimizer", t_.optimizer.state()}, {"average", t_.average.state()}};
    if (t_.moving_average) groups["moving_average"] = t_.moving_average->state();
    save_checkpoint(t_.run.checkpoint(), state_, groups);
    last_save_ = seconds_now();
  }

  void restore() {
    const Checkpoint checkpoint = load_checkpoint(t_.run.checkpoint());
    const auto group = [&](const char* name) {
      const auto found = checkpoint.groups.find(name);
      return found == checkpoint.groups.end() ? NamedTensors{} : found->second;
    };
    copy_into(group("model"), t_.tensors, t_.run.checkpoint());
    t_.optimizer.load_state(group("optimizer"));
    t_.average.load_state(group("average"));
    if (t_.moving_average) t_.moving_average->load_state(group("moving_average"));
    state_ = checkpoint.state;
  }

  [[noreturn]] void stop() {
    save();
    bar_->finish();
    fmt::print(stderr, "stopped after step {}, all is saved; to go on: {}\n", state_.step, t_.resume_command);
    throw Exit{130};
  }

  void conclude() {
    save();  // first: a resume with more steps then discards this evaluation
    if (state_.evaluated != state_.step) evaluate();
    if (state_.step < state_.total)
      bar_->message(fmt::format("stopped: no better {} in {} evaluations", t_.score, state_.since_best));
    copy_into(t_.average.average(), t_.tensors, "average");
    nn::save_tensors(t_.tensors, t_.run.model());
    bar_->finish();
  }

  const Training& t_;
  bool resumed_;
  std::string metrics_path_;
  TrainingState state_;
  Interrupt interrupt_;
  std::optional<MetricsWriter> metrics_;
  std::optional<ProgressBar> bar_;
  std::vector<double> step_seconds_;
  double resumed_seconds_ = 0, segment_start_ = 0, last_save_ = 0, last_step_ = 0;
};

}  // namespace

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

TrainingState train(const Training& training, bool resume) {
  const MixedPrecision precision(training.dtype);
  return Loop(training, resume).run();
}

}  // namespace mixtape::examples

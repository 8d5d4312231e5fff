#pragma once

#include <unistd.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mixtape::examples {

/// The values of a progress line. Unknown values are omitted.
struct Progress {
  int64_t step = 0;                        ///< steps done
  int64_t total = 0;                       ///< steps of the whole run; 0 if unknown
  double elapsed = 0;                      ///< seconds
  std::optional<double> remaining;         ///< seconds
  std::optional<double> items_per_second;  ///< see `unit`
  std::string unit = "items";              ///< what is counted: tokens, images
  std::optional<double> loss;
  std::optional<double> learning_rate;
};

/// The line drawn on a terminal, at most `columns` wide: percentage, bar, steps, rate, loss, learning rate, times. In a
/// narrow window the bar shrinks first, then the least important values are dropped. `unicode` draws the bar with line
/// characters.
std::string progress_bar_line(const Progress& progress, int64_t columns, bool unicode);

/// The same values in one plain line, for log files.
std::string progress_plain_line(const Progress& progress);

/// Items per second over a sliding window of time.
class RateMeter {
 public:
  explicit RateMeter(double window_seconds = 20) : window_(window_seconds) {}

  /// Records that `items` more were done by `now` (seconds of a monotonic clock). The first call starts the
  /// measurement, and its items are not counted.
  void add(double now, double items);

  /// The rate, or nothing before two calls at different times.
  std::optional<double> per_second() const;

 private:
  struct Sample {
    double time, total;
  };
  double window_;
  std::deque<Sample> samples_;
};

/// A progress bar for a training loop. On a terminal it is one line, redrawn at most ten times a second and cleared at
/// the end; elsewhere (a file, a pipe, TERM=dumb) it is a plain line every ten seconds and one at the end, without
/// escape codes. Failed writes are ignored. Not thread-safe.
class ProgressBar {
 public:
  struct Options {
    int64_t total = 0;                   ///< steps of the whole run; 0 if unknown, see set_total
    int64_t first_step = 0;              ///< steps done before this process began, on a resume
    std::string unit = "items";          ///< what the rate counts: tokens, images
    int descriptor = STDERR_FILENO;      ///< where to draw
    std::function<double()> clock = {};  ///< seconds; a steady clock if empty
  };

  explicit ProgressBar(Options options);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Reports that `step` steps are done, the last of them on `items` items.
  void update(int64_t step, int64_t items, double loss, double learning_rate);

  /// Sets the number of steps, once it is known.
  void set_total(int64_t total);

  /// Prints a line above the bar. A newline is added if the text does not end in one.
  void message(std::string_view text);

  /// Removes the bar (terminal) or prints the last plain line (elsewhere). Later calls do nothing.
  void finish();

  /// Items per second over the last seconds; 0 before the second update.
  double items_per_second() const { return rate_.per_second().value_or(0); }

  /// Seconds since the bar was made.
  double elapsed() const { return now() - start_; }

 private:
  double now() const;
  Progress progress() const;
  void draw();
  void clear();
  void write(std::string_view text) const;

  Options options_;
  bool terminal_, unicode_;
  double start_, last_draw_;
  bool drawn_ = false, finished_ = false;
  RateMeter rate_;
  int64_t step_;
  std::optional<double> loss_, learning_rate_;
};

}  // namespace mixtape::examples

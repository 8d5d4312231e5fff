#include "examples/common/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

#include "examples/common/format.h"

namespace mixtape::examples {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kPlainLineSeconds = 10;
constexpr int64_t kShortestBar = 8, kLongestBar = 40;
constexpr std::string_view kGap = "  ";

/// One value of the line. The highest `rank` is dropped first in a narrow window.
struct Field {
  std::string text;
  int rank;
};

std::vector<Field> fields(const Progress& progress) {
  std::vector<Field> all;
  if (progress.total > 0) {
    all.push_back({fmt::format("{}/{}", format_count(progress.step), format_count(progress.total)), 1});
  } else {
    all.push_back({fmt::format("step {}", format_count(progress.step)), 0});
  }
  if (progress.items_per_second) {
    const int64_t rate = std::llround(std::clamp(*progress.items_per_second, 0.0, 1e15));
    all.push_back({fmt::format("{} {}/s", format_count(rate), progress.unit), 4});
  }
  if (progress.loss) all.push_back({fmt::format("loss {:.4f}", *progress.loss), 2});
  if (progress.learning_rate) all.push_back({fmt::format("lr {:.2e}", *progress.learning_rate), 6});
  all.push_back({format_duration(progress.elapsed), 5});
  if (progress.remaining) all.push_back({fmt::format("ETA {}", format_duration(*progress.remaining)), 3});
  return all;
}

int64_t text_columns(const std::vector<Field>& all) {
  int64_t sum = 0;
  for (const Field& field : all) sum += std::ssize(field.text) + std::ssize(kGap);
  return sum;
}

double done_fraction(const Progress& progress) {
  return std::clamp(static_cast<double>(progress.step) / static_cast<double>(progress.total), 0.0, 1.0);
}

std::string percentage(const Progress& progress) {
  return fmt::format("{:3}%", static_cast<int64_t>(100 * done_fraction(progress)));
}

std::string bar(double fraction, int64_t columns, bool unicode) {
  const auto full = static_cast<int64_t>(std::floor(fraction * static_cast<double>(columns)));
  std::string text;
  for (int64_t i = 0; i < columns; ++i) text += i < full ? (unicode ? "━" : "#") : (unicode ? "╌" : ".");
  return text;
}

std::string join(const std::vector<Field>& all) {
  std::string line;
  for (const Field& field : all) line.append(line.empty() ? "" : kGap).append(field.text);
  return line;
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool is_terminal(int descriptor) {
  const char* kind = std::getenv("TERM");
  return isatty(descriptor) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view text(value);
    return text.find("UTF-8") != text.npos || text.find("utf8") != text.npos;
  }
  return false;
}

int64_t terminal_columns(int descriptor) {
  winsize size = {};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

std::string progress_bar_line(const Progress& progress, int64_t columns, bool unicode) {
  std::vector<Field> all = fields(progress);
  const bool with_bar = progress.total > 0;
  if (with_bar) all.insert(all.begin(), {percentage(progress), 0});
  const int64_t available = columns - (with_bar ? kShortestBar : -std::ssize(kGap));
  while (all.size() > 1 && text_columns(all) > available) {
    all.erase(std::max_element(all.begin(), all.end(), [](const Field& a, const Field& b) { return a.rank < b.rank; }));
  }
  if (with_bar) {
    const int64_t bar_columns = std::min(kLongestBar, columns - text_columns(all));
    if (bar_columns > 0) all.insert(all.begin() + 1, {bar(done_fraction(progress), bar_columns, unicode), 0});
  }
  std::string line = join(all);
  if (all.size() == 1) line.resize(std::min(line.size(), static_cast<size_t>(std::max<int64_t>(columns, 0))));
  return line;
}

std::string progress_plain_line(const Progress& progress) {
  std::vector<Field> all = fields(progress);
  if (progress.total > 0) {
    all.front().text.insert(0, "step ");
    all.insert(all.begin(), {percentage(progress), 0});
  }
  return join(all);
}

void RateMeter::add(double now, double items) {
  const double total = samples_.empty() ? 0 : samples_.back().total + items;
  samples_.push_back({now, total});
  while (samples_.size() > 2 && samples_[1].time <= now - window_) samples_.pop_front();
}

std::optional<double> RateMeter::per_second() const {
  if (samples_.empty() || samples_.back().time <= samples_.front().time) return std::nullopt;
  return (samples_.back().total - samples_.front().total) / (samples_.back().time - samples_.front().time);
}

ProgressBar::ProgressBar(Options options)
    : options_(std::move(options)), terminal_(is_terminal(options_.descriptor)), unicode_(locale_is_utf8()) {
  if (!options_.clock) options_.clock = steady_seconds;
  start_ = now();
  last_draw_ = terminal_ ? start_ - kRedrawSeconds : start_;
  step_ = options_.first_step;
  rate_.add(start_, 0);
}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::update(int64_t step, int64_t items, double loss, double learning_rate) {
  if (finished_) return;
  step_ = step;
  loss_ = loss;
  learning_rate_ = learning_rate;
  rate_.add(now(), static_cast<double>(items));
  if (now() - last_draw_ >= (terminal_ ? kRedrawSeconds : kPlainLineSeconds)) draw();
}

void ProgressBar::set_total(int64_t total) { options_.total = total; }

void ProgressBar::message(std::string_view text) {
  const bool redraw = drawn_;
  clear();
  write(fmt::format("{}{}", text, text.ends_with('\n') ? "" : "\n"));
  if (redraw) draw();
}

void ProgressBar::finish() {
  if (finished_) return;
  if (terminal_) {
    clear();
  } else {
    draw();
  }
  finished_ = true;
}

double ProgressBar::now() const { return options_.clock(); }

Progress ProgressBar::progress() const {
  Progress all = {.step = step_,
                  .total = options_.total,
                  .elapsed = elapsed(),
                  .remaining = std::nullopt,
                  .items_per_second = rate_.per_second(),
                  .unit = options_.unit,
                  .loss = loss_,
                  .learning_rate = learning_rate_};
  const int64_t done = step_ - options_.first_step, left = options_.total - step_;
  if (done > 0 && left >= 0) all.remaining = all.elapsed / static_cast<double>(done) * static_cast<double>(left);
  return all;
}

void ProgressBar::draw() {
  last_draw_ = now();
  if (terminal_) {
    const int64_t columns = terminal_columns(options_.descriptor) - 1;  // the last column would wrap
    write(fmt::format("\r{}\x1b[K", progress_bar_line(progress(), columns, unicode_)));
    drawn_ = true;
  } else {
    write(progress_plain_line(progress()) + "\n");
  }
}

void ProgressBar::clear() {
  if (drawn_) write("\r\x1b[K");
  drawn_ = false;
}

void ProgressBar::write(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t written = ::write(options_.descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace mixtape::examples

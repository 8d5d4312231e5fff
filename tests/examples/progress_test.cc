#include "examples/common/progress.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <algorithm>
#include <string>

#include "tests/examples/child_process.h"
#include "tests/text.h"

using namespace mixtape::examples;
using namespace mixtape::tests;

namespace {

const Progress kHalfWay = {.step = 1500,
                           .total = 3000,
                           .elapsed = 42,
                           .remaining = 83,
                           .items_per_second = 8412.4,
                           .unit = "tokens",
                           .loss = 2.31412,
                           .learning_rate = 9.2e-4};

int64_t columns_of(const std::string& utf8) {
  return std::count_if(utf8.begin(), utf8.end(),
                       [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
}

/// What a bar writes to a pipe while `use` runs it. The clock is ours.
template <class Use>
std::string written_to_pipe(ProgressBar::Options options, double& now, Use use) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  options.descriptor = ends[1];
  options.clock = [&now] { return now; };
  {
    ProgressBar bar(options);
    use(bar);
  }
  close(ends[1]);
  return read_all(ends[0]);
}

/// Both ends of a pseudo terminal of the given width.
struct PseudoTerminal {
  int controller, terminal;

  explicit PseudoTerminal(unsigned short columns) : controller(posix_openpt(O_RDWR | O_NOCTTY)) {
    REQUIRE(controller >= 0);
    REQUIRE(grantpt(controller) == 0);
    REQUIRE(unlockpt(controller) == 0);
    terminal = open(ptsname(controller), O_RDWR | O_NOCTTY);
    REQUIRE(terminal >= 0);
    termios settings = {};
    tcgetattr(terminal, &settings);
    cfmakeraw(&settings);
    tcsetattr(terminal, TCSANOW, &settings);
    const winsize size = {.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    REQUIRE(ioctl(terminal, TIOCSWINSZ, &size) == 0);
  }
  ~PseudoTerminal() {
    close(terminal);
    close(controller);
  }
  std::string shown() const {
    char block[4096];
    fcntl(controller, F_SETFL, O_NONBLOCK);
    std::string text;
    for (ssize_t count = 0; (count = read(controller, block, sizeof block)) > 0;)
      text.append(block, static_cast<size_t>(count));
    return text;
  }
};

}  // namespace

TEST_CASE("progress_bar_line: all values in a wide window") {
  CHECK(progress_bar_line(kHalfWay, 200, false) ==
        " 50%  ####################....................  1,500/3,000  8,412 tokens/s  loss 2.3141  lr 9.20e-04  0:42  "
        "ETA "
        "1:23");
}

TEST_CASE("progress_bar_line: never wider than the window, the step stays longest") {
  for (const bool unicode : {false, true}) {
    for (int64_t columns = 0; columns <= 160; ++columns) {
      const std::string line = progress_bar_line(kHalfWay, columns, unicode);
      CAPTURE(line);
      CHECK(columns_of(line) <= columns);
      if (columns >= 14) CHECK(contains(line, "50%"));
      if (columns >= 50) CHECK(contains(line, "1,500/3,000"));
      if (columns >= 50) CHECK(contains(line, "ETA 1:23"));
    }
  }
}

TEST_CASE("progress_bar_line: without a total there is no bar and no percentage") {
  CHECK(progress_bar_line(
            {.step = 12, .elapsed = 3, .remaining = {}, .items_per_second = {}, .loss = 1.5, .learning_rate = {}}, 80,
            false) == "step 12  loss 1.5000  0:03");
}

TEST_CASE("progress_plain_line") {
  CHECK(progress_plain_line(kHalfWay) ==
        " 50%  step 1,500/3,000  8,412 tokens/s  loss 2.3141  lr 9.20e-04  0:42  ETA 1:23");
}

TEST_CASE("RateMeter: a sliding window") {
  RateMeter meter(10);
  CHECK(!meter.per_second());
  meter.add(0, 1000);
  CHECK(!meter.per_second());
  meter.add(1, 50);
  CHECK(meter.per_second().value() == doctest::Approx(50));
  for (int second = 2; second <= 40; ++second) meter.add(second, second <= 20 ? 50 : 80);
  CHECK(meter.per_second().value() == doctest::Approx(80));
}

TEST_CASE("ProgressBar: elsewhere a plain line every ten seconds and at the end, no escape codes") {
  double now = 100;
  const std::string text = written_to_pipe({.total = 40, .unit = "images"}, now, [&](ProgressBar& bar) {
    for (int64_t step = 1; step <= 25; ++step) {
      now += 1;
      bar.update(step, 64, 0.5, 1e-3);
    }
    bar.message("saved");
    bar.finish();
    bar.finish();
    bar.update(26, 64, 0.5, 1e-3);
  });
  CHECK(text ==
        " 25%  step 10/40  64 images/s  loss 0.5000  lr 1.00e-03  0:10  ETA 0:30\n"
        " 50%  step 20/40  64 images/s  loss 0.5000  lr 1.00e-03  0:20  ETA 0:20\n"
        "saved\n"
        " 62%  step 25/40  64 images/s  loss 0.5000  lr 1.00e-03  0:25  ETA 0:15\n");
}

TEST_CASE("ProgressBar: after a resume the ETA counts the steps of this process only") {
  double now = 0;
  const std::string text = written_to_pipe({.total = 1000, .first_step = 900}, now, [&](ProgressBar& bar) {
    now = 10;
    bar.update(910, 1, 0.5, 1e-3);
  });
  CHECK(contains(text, "step 910/1,000"));
  CHECK(contains(text, "ETA 1:30"));
}

TEST_CASE("ProgressBar: on a terminal one line, at most ten times a second, cleared at the end") {
  setenv("TERM", "xterm", 1);
  setenv("LC_ALL", "C.UTF-8", 1);
  const PseudoTerminal pseudo(60);
  double now = 0;
  ProgressBar bar({.total = 1000, .descriptor = pseudo.terminal, .clock = [&now] { return now; }});
  bar.update(1, 1, 0.5, 1e-3);
  const std::string first = pseudo.shown();
  CHECK(first.starts_with("\r  0%"));
  CHECK(first.ends_with("\x1b[K"));
  CHECK(columns_of(first) - 4 < 60);
  CHECK(contains(first, "╌"));

  int64_t drawn = 0;
  for (int64_t step = 2; step <= 101; ++step) {
    now += 0.01;
    bar.update(step, 1, 0.5, 1e-3);
    drawn += pseudo.shown().empty() ? 0 : 1;
  }
  CHECK(drawn >= 8);
  CHECK(drawn <= 10);

  bar.message("saved step 101");
  const std::string message = pseudo.shown();
  CHECK(message.starts_with("\r\x1b[Ksaved step 101\n\r"));
  bar.finish();
  CHECK(pseudo.shown() == "\r\x1b[K");
}

TEST_CASE("ProgressBar: a dumb terminal gets plain lines") {
  setenv("TERM", "dumb", 1);
  const PseudoTerminal pseudo(60);
  ProgressBar bar({.total = 10, .descriptor = pseudo.terminal});
  bar.update(1, 1, 0.5, 1e-3);
  bar.finish();
  const std::string text = pseudo.shown();
  CHECK(contains(text, "step 1/10"));
  CHECK(!contains(text, "\x1b"));
}

#include "examples/common/ticks.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace mixtape::examples;
using Ticks = std::vector<double>;

TEST_CASE("nice_ticks: round numbers inside the range") {
  CHECK(nice_ticks(0, 10, 5) == Ticks{0, 2, 4, 6, 8, 10});
  CHECK(nice_ticks(0, 5200, 5) == Ticks{0, 1000, 2000, 3000, 4000, 5000});
  CHECK(nice_ticks(0, 1, 5) == Ticks{0, 0.2, 0.4, 0.6, 0.8, 1});
  CHECK(nice_ticks(-0.11, 0.12, 4) == Ticks{-0.1, -0.05, 0, 0.05, 0.1});
  CHECK(nice_ticks(0, 0.0011, 5) == Ticks{0, 0.0002, 0.0004, 0.0006, 0.0008, 0.001});
}

TEST_CASE("nice_ticks: never many more or fewer than asked for") {
  for (double low = -7.3; low < 1000; low = low * 1.7 + 9) {
    for (double width = 1e-4; width < 1e7; width *= 1.37) {
      const Ticks ticks = nice_ticks(low, low + width, 5);
      CAPTURE(low);
      CAPTURE(width);
      CHECK(ticks.size() >= 2);
      CHECK(ticks.size() <= 8);
      CHECK(ticks.front() >= low - width * 1e-6);
      CHECK(ticks.back() <= low + width * (1 + 1e-6));
    }
  }
}

TEST_CASE("nice_log_ticks") {
  CHECK(nice_log_ticks(0.5, 300, 5) == Ticks{1, 10, 100});
  CHECK(nice_log_ticks(0.9, 20, 5) == Ticks{1, 2, 5, 10, 20});
  CHECK(nice_log_ticks(0.02, 2, 5) == Ticks{0.03, 0.1, 0.3, 1});
  CHECK(nice_log_ticks(2, 5, 5) == nice_ticks(2, 5, 5));
  const Ticks wide = nice_log_ticks(1e-12, 1e12, 5);
  CHECK(wide.size() >= 3);
  CHECK(wide.size() <= 6);
}

TEST_CASE("tick_label: as many digits as the spacing needs") {
  CHECK(tick_label(0, 0.1) == "0");
  CHECK(tick_label(0.3, 0.1) == "0.3");
  CHECK(tick_label(1, 0.25) == "1.0");
  CHECK(tick_label(0.25, 0.05) == "0.25");
  CHECK(tick_label(-2, 1) == "-2");
  CHECK(tick_label(25000, 5000) == "25,000");
  CHECK(tick_label(1200000, 200000) == "1.2M");
  CHECK(tick_label(0.0004, 0.0002) == "0.0004");
  CHECK(tick_label(2e-5, 1e-5) == "2e-05");
}

#include "examples/common/format.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace mixtape::examples;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST_CASE("format_duration: minutes, hours, rounding, unknown") {
  CHECK(format_duration(0) == "0:00");
  CHECK(format_duration(7.4) == "0:07");
  CHECK(format_duration(59.6) == "1:00");
  CHECK(format_duration(83) == "1:23");
  CHECK(format_duration(3599.4) == "59:59");
  CHECK(format_duration(3723) == "1:02:03");
  CHECK(format_duration(360000) == "100:00:00");
  CHECK(format_duration(-1) == "-:--");
  CHECK(format_duration(NAN) == "-:--");
  CHECK(format_duration(kInfinity) == "-:--");
}

TEST_CASE("format_count: thousands separators") {
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(1000) == "1,000");
  CHECK(format_count(1234567) == "1,234,567");
  CHECK(format_count(-123) == "-123");
  CHECK(format_count(-123456) == "-123,456");
  CHECK(format_count(std::numeric_limits<int64_t>::min()) == "-9,223,372,036,854,775,808");
}

TEST_CASE("format_value: about four significant digits") {
  CHECK(format_value(0) == "0");
  CHECK(format_value(93.4112) == "93.41");
  CHECK(format_value(0.81234) == "0.8123");
  CHECK(format_value(8412.3) == "8,412");
  CHECK(format_value(999.96) == "1,000");
  CHECK(format_value(1.2e-5) == "1.2e-05");
  CHECK(format_value(1e30) == "1e+30");
  CHECK(format_value(NAN) == "nan");
}

#include "data/copy_task.h"

#include <doctest/doctest.h>

TEST_CASE("copy_task: both sides are the same, and the seed decides") {
  const auto text = mixtape::data::copy_task(20), other = mixtape::data::copy_task(20, 2);
  REQUIRE(text.pairs.size() == 20);
  bool differs = false;
  for (size_t i = 0; i < 20; ++i) {
    CHECK(text.pairs[i].source == text.pairs[i].target);
    differs = differs || text.pairs[i].source != other.pairs[i].source;
  }
  CHECK(differs);
}

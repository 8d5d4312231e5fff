#include "autograd/kernels/instruction_set.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/kernels/instruction_sets.h"

using namespace mixtape::kernels;

TEST_CASE("instruction_set: the best is used, and each can be forced") {
  const std::vector<std::string> all = instruction_sets();
  REQUIRE(!all.empty());
  CHECK(std::set(all.begin(), all.end()).size() == all.size());
  CHECK(instruction_set() == all.front());
  for (const std::string& name : all) {
    CHECK(force_instruction_set(name));
    CHECK(instruction_set() == name);
    CHECK(instruction_sets() == all);
  }
  CHECK(force_instruction_set(""));
  CHECK(instruction_set() == all.front());
}

TEST_CASE("instruction_set: an unknown name is refused and changes nothing") {
  const std::string last = instruction_sets().back();
  REQUIRE(force_instruction_set(last));
  CHECK(!force_instruction_set("Z80"));
  CHECK(instruction_set() == last);
  force_instruction_set("");
}

TEST_CASE("for_each_instruction_set: visits all, and goes back to the best when a test throws") {
  std::vector<std::string> seen;
  mixtape::tests::for_each_instruction_set([&] { seen.push_back(instruction_set()); });
  CHECK(seen == instruction_sets());
  CHECK(instruction_set() == seen.front());
  CHECK_THROWS_AS(mixtape::tests::for_each_instruction_set([&] {
                    if (instruction_set() == seen.back()) throw 1;
                  }),
                  int);
  CHECK(instruction_set() == seen.front());
}

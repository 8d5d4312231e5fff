#include "autograd/tensors/error.h"

#include <doctest/doctest.h>

#include "autograd/tape/scope.h"

using namespace mixtape;

TEST_CASE("fail throws its message") { CHECK_THROWS_WITH_AS(fail("op: what came"), "op: what came", Error); }

TEST_CASE("fail says in which layer") {
  const Scope scope(path_below(path_below(nullptr, "a"), "b"));
  CHECK_THROWS_WITH_AS(fail("op: what came"), "op: what came (in a.b)", Error);
}

TEST_CASE("an Error is a runtime_error") { CHECK_THROWS_AS(fail("x"), std::runtime_error); }

#include "examples/common/interrupt.h"

#include <doctest/doctest.h>

#include <csignal>

#include "autograd/tensors/error.h"
#include "tests/examples/child_process.h"

using namespace mixtape;
using namespace mixtape::examples;

TEST_CASE("Interrupt: the first signal sets the flag, a new scope starts without it") {
  for (const int number : {SIGINT, SIGTERM}) {
    const Interrupt interrupt;
    CHECK(!interrupt.requested());
    raise(number);
    CHECK(interrupt.requested());
    CHECK(interrupt.signal() == number);
  }
}

TEST_CASE("Interrupt: the second signal ends the process with 130") {
  const ChildResult child = run_in_child([] {
    const Interrupt interrupt;
    raise(SIGINT);
    raise(SIGTERM);
    return 0;
  });
  CHECK(child.code == 130);
}

TEST_CASE("Interrupt: leaving the scope restores the former handlers") {
  const ChildResult child = run_in_child([] {
    { const Interrupt interrupt; }
    raise(SIGTERM);
    return 0;
  });
  CHECK(child.code == -SIGTERM);
}

TEST_CASE("Interrupt: a signal that was ignored stays ignored") {
  const ChildResult child = run_in_child([] {
    std::signal(SIGINT, SIG_IGN);
    const Interrupt interrupt;
    raise(SIGINT);
    return interrupt.requested() ? 1 : 0;
  });
  CHECK(child.code == 0);
}

TEST_CASE("Interrupt: one at a time") {
  const Interrupt interrupt;
  CHECK_THROWS_AS(Interrupt(), Error);
}

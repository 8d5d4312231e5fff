#include "examples/common/command_line.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <cstdio>
#include <iostream>
#include <new>

#include "autograd/tensors/error.h"
#include "examples/common/train_options.h"
#include "tests/examples/child_process.h"
#include "tests/text.h"

using namespace mixtape;
using namespace mixtape::tests;
using namespace mixtape::examples;

namespace {

/// A program with two commands: `fail` ends in the way its argument says, `train` prints what it was given.
void setup(Command& program, TrainOptions& options, std::string& how) {
  Command fail_command = program.subcommand("fail", "ends badly");
  fail_command.option("how", how, "in which way");
  fail_command.run([&how] {
    if (how == "error") fail("cannot read a.txt: No such file or directory");
    if (how == "lines") fail("first\nsecond\n");
    if (how == "other") throw std::runtime_error("broken");
    if (how == "memory") throw std::bad_alloc();
    if (how == "number") throw 5;
    if (how == "exit") throw Exit{130};
  });
  Command train = program.subcommand("train", "trains");
  add_train_options(train, options, {"toy", "tsv"}, {"small", "large"});
  train.run([&options] {
    std::cout << options.data << ' ' << options.out << ' ' << options.steps.value_or(-1) << ' '
              << options.threads.value_or(0) << ' ' << options.seed << ' ' << options.dtype << ' ' << options.resume;
  });
}

ChildResult run(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "build/examples/demo");
  return run_in_child([&] {
    TrainOptions options;
    std::string how;
    return run_program("demo", "A program.", static_cast<int>(arguments.size()), arguments.data(),
                       [&](Command& program) { setup(program, options, how); });
  });
}

}  // namespace

TEST_CASE("run_program: success, and options as given") {
  const ChildResult result = run({"train", "--data", "toy", "--out", "runs/a", "--steps", "7", "--threads=2", "--seed",
                                  "9223372036854775807", "--dtype", "bf16", "--resume"});
  CHECK(result.code == 0);
  CHECK(result.output == "toy runs/a 7 2 9223372036854775807 bf16 1");
  CHECK(result.errors.empty());
}

TEST_CASE("run_program: help for the program and its commands") {
  for (const std::vector<const char*>& arguments : {std::vector<const char*>{"--help"}, {"train", "--help"}}) {
    const ChildResult result = run(arguments);
    CHECK(result.code == 0);
    CHECK(contains(result.output, "Usage:"));
    CHECK(result.errors.empty());
  }
  CHECK(contains(run({"train", "--help"}).output, "--minutes"));
}

TEST_CASE("run_program: bad usage is one line and exit code 2") {
  using Arguments = std::vector<const char*>;
  const Arguments good = {"train", "--data", "toy", "--out", "r"};
  const std::vector<std::pair<Arguments, std::string>> cases = {
      {{}, "A subcommand is required"},
      {{"dance"}, "unknown command or option dance"},
      {{"train"}, "--data is required"},
      {{"train", "--data", "mnist", "--out", "r"}, "--data: mnist not in {toy,tsv}"},
      {{"train", "--data", "toy"}, "--out is required"},
      {{"--steps", "0"}, "--steps: must be a whole number of at least 1, not 0"},
      {{"--steps", "010"}, "--steps"},
      {{"--steps", "x"}, "--steps"},
      {{"--steps", "1.5"}, "--steps"},
      {{"--steps", "99999999999999999999"}, "--steps"},
      {{"--epochs", "-3"}, "--epochs"},
      {{"--epochs", "1", "--steps", "1"}, "--epochs excludes --steps"},
      {{"--epochs", "1", "--minutes", "1"}, "--epochs excludes --minutes"},
      {{"--minutes", "0"}, "--minutes: must be a number above 0, not 0"},
      {{"--minutes", "nan"}, "--minutes"},
      {{"--minutes", "inf"}, "--minutes"},
      {{"--threads", "0"}, "--threads: must be a whole number from 1 to 1024, not 0"},
      {{"--seed", "-1"}, "--seed"},
      {{"--dtype", "f16"}, "--dtype"},
      {{"--preset", "huge"}, "--preset"},
      {{"--stepz", "3"}, "--stepz"},
      {{"--out"}, "--out"},
  };
  for (const auto& [arguments, expected] : cases) {
    Arguments all = arguments;
    if (!all.empty() && all.front()[0] == '-') all.insert(all.begin(), good.begin(), good.end());
    const ChildResult result = run(all);
    CAPTURE(expected);
    CAPTURE(result.errors);
    CHECK(result.code == 2);
    CHECK(result.output.empty());
    CHECK(result.errors.starts_with("demo: "));
    CHECK(result.errors.find('\n') == result.errors.size() - 1);
    CHECK(contains(result.errors, expected));
    CHECK(contains(result.errors,
                   all.empty() || all.front()[0] == 'd' ? "(see demo --help)" : "(see demo train --help)"));
  }
}

TEST_CASE("run_program: bad input is 2, other failures are 1, an Exit is its code") {
  const ChildResult error = run({"fail", "error"});
  CHECK(error.code == 2);
  CHECK(error.errors == "demo: cannot read a.txt: No such file or directory\n");
  CHECK(run({"fail", "lines"}).errors == "demo: first second\n");
  const ChildResult other = run({"fail", "other"});
  CHECK(other.code == 1);
  CHECK(other.errors == "demo: broken\n");
  CHECK(run({"fail", "memory"}).errors == "demo: out of memory\n");
  CHECK(run({"fail", "number"}).code == 1);
  CHECK(run({"fail", "exit"}).code == 130);
  CHECK(run({"fail", "exit"}).errors.empty());
}

TEST_CASE("run_program: output that cannot be written is an error") {
  const ChildResult result = run_in_child([] {
    dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
    const char* arguments[] = {"demo"};
    return run_program("demo", "", 1, arguments, [](Command& program) { program.run([] { std::puts("a result"); }); });
  });
  CHECK(result.code == 2);
  CHECK(result.errors == "demo: cannot write to standard output: No space left on device\n");
}

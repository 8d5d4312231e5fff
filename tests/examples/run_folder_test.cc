#include "examples/common/run_folder.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <iostream>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"
#include "tests/examples/child_process.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using namespace mixtape::examples;
using tests::TemporaryFolder;

TEST_CASE("RunFolder: create, write, leave, resume, open") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run");
  {
    const RunFolder run = RunFolder::create(path + "/");
    CHECK(run.path() == path);
    CHECK(run.model() == path + "/model.safetensors");
    CHECK(!run.has_config());
    run.write_config({{"program", "vit"}});
  }
  CHECK(RunFolder::resume(path).read_config().text("program") == "vit");
  CHECK(RunFolder::open(path).has_config());
}

TEST_CASE("RunFolder: create makes the folders above it") {
  const TemporaryFolder folder;
  CHECK(RunFolder::create(folder.file("a/b/run")).path() == folder.file("a/b/run"));
  CHECK(std::filesystem::is_directory(folder.file("a/b/run")));
}

TEST_CASE("RunFolder: create refuses what it cannot make") {
  const TemporaryFolder folder;
  const std::string there = folder.file("there"), file = folder.file("file");
  mkdir(there.c_str(), 0777);
  CHECK_THROWS_WITH_AS(RunFolder::create(there),
                       ("run folder " + there + " already exists: go on with --resume, or name another folder").c_str(),
                       Error);
  write_atomically(file, "x");
  CHECK_THROWS_WITH_AS(RunFolder::create(file + "/run"),
                       ("cannot create run folder " + file + "/run: Not a directory").c_str(), Error);
  CHECK_THROWS_WITH_AS(RunFolder::create(""), "the run folder has no name", Error);
  CHECK(folder.names() == std::vector<std::string>{"file", "there"});
}

TEST_CASE("RunFolder: resume and open say what is missing") {
  const TemporaryFolder folder;
  const std::string lost = folder.file("none"), empty = folder.file("empty"), file = folder.file("file");
  CHECK_THROWS_WITH_AS(RunFolder::resume(lost),
                       ("run folder " + lost + " does not exist: leave out --resume to start a new run").c_str(),
                       Error);
  CHECK_THROWS_WITH_AS(RunFolder::open(lost), ("run folder " + lost + " does not exist").c_str(), Error);
  write_atomically(file, "x");
  CHECK_THROWS_WITH_AS(RunFolder::resume(file), ("run folder " + file + " is not a folder").c_str(), Error);
  mkdir(empty.c_str(), 0777);
  CHECK_NOTHROW(RunFolder::resume(empty));
  CHECK_THROWS_WITH_AS(RunFolder::open(empty), (empty + " is no run folder: it holds no config.json").c_str(), Error);
}

TEST_CASE("RunFolder: one process at a time, and the lock goes with its owner") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run");
  {
    RunFolder first = RunFolder::create(path);
    CHECK_THROWS_WITH_AS(RunFolder::resume(path),
                         ("run folder " + path + " is in use: another process trains in it").c_str(), Error);
    const RunFolder moved = std::move(first);
    CHECK_THROWS_AS(RunFolder::resume(path), Error);
    moved.write_config({{"a", 1}});
    CHECK_NOTHROW(RunFolder::open(path));
  }
  CHECK_NOTHROW(RunFolder::resume(path));
}

TEST_CASE("RunFolder: after a kill -9 resume takes over and tidies up") {
  const TemporaryFolder folder;
  const std::string path = folder.file("run");
  const ChildResult child = run_in_child([&] {
    const RunFolder run = RunFolder::create(path);
    AtomicFile file(run.checkpoint());
    file.write("half");
    raise(SIGKILL);
    return 0;
  });
  CHECK(child.code == -SIGKILL);
  CHECK(!std::filesystem::is_empty(path));
  const RunFolder run = RunFolder::resume(path);
  CHECK(std::filesystem::is_empty(path));
}

TEST_CASE("RunFolder: a folder that may not be written to") {
  constexpr uid_t kNobody = 65534;
  const TemporaryFolder folder;
  const std::string path = folder.file("run");
  chmod(folder.path().c_str(), 0755);
  mkdir(path.c_str(), 0555);
  const auto print_error_of = [](const auto& f) {
    try {
      f();
    } catch (const Error& error) {
      std::cout << error.what() << std::endl;
    }
  };
  const ChildResult child = run_in_child([&] {
    if (geteuid() == 0 && setuid(kNobody) != 0) return 1;  // to root nothing is forbidden
    print_error_of([&] { RunFolder::create(path + "/inner"); });
    print_error_of([&] { RunFolder::resume(path); });
    return 0;
  });
  CHECK(child.code == 0);
  CHECK(child.output == "cannot create run folder " + path + "/inner: Permission denied\n" +
                            "cannot write to run folder " + path + ": Permission denied\n");
}

#include "autograd/files/file.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "autograd/tensors/error.h"
#include "tests/examples/child_process.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using namespace mixtape::examples;
using tests::TemporaryFolder;
using Names = std::vector<std::string>;

TEST_CASE("write_atomically: makes and replaces a file, any bytes") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.bin"), bytes("\0\xff\n", 3);
  write_atomically(path, "old");
  CHECK(read_file(path) == "old");
  write_atomically(path, bytes);
  CHECK(read_file(path) == bytes);
  write_atomically(path, "");
  CHECK(read_file(path).empty());
  CHECK(folder.names() == Names{"a.bin"});
}

TEST_CASE("write_atomically: a full disk leaves the old file and no other") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.bin");
  write_atomically(path, "old");
  const ChildResult child = run_in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_atomically(path, std::string(5000, 'x'));
    } catch (const Error& error) {
      return std::string(error.what()) == "cannot write " + path + ": File too large" ? 0 : 1;
    }
    return 2;
  });
  CHECK(child.code == 0);
  CHECK(read_file(path) == "old");
  CHECK(folder.names() == Names{"a.bin"});
}

TEST_CASE("write_atomically: missing folder and things that are not files") {
  const TemporaryFolder folder;
  const std::string lost = folder.file("none/a.bin"), sub = folder.file("sub");
  CHECK_THROWS_WITH_AS(write_atomically(lost, "x"), ("cannot write " + lost + ": No such file or directory").c_str(),
                       Error);
  mkdir(sub.c_str(), 0777);
  CHECK_THROWS_WITH_AS(write_atomically(sub, "x"), ("cannot write " + sub + ": it is not a regular file").c_str(),
                       Error);
  CHECK_THROWS_AS(write_atomically("/dev/full", "x"), Error);
}

TEST_CASE("AtomicFile: nothing is seen before commit, nothing stays without it") {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.bin");
  {
    AtomicFile file(path);
    file.write("one ");
    file.write("two");
    CHECK(access(path.c_str(), F_OK) != 0);
    file.commit();
    CHECK(read_file(path) == "one two");
  }
  {
    AtomicFile file(path);
    file.write("half");
  }
  CHECK(read_file(path) == "one two");
  CHECK(folder.names() == Names{"a.bin"});
}

TEST_CASE("AtomicFile: the file has the usual permissions") {
  const TemporaryFolder folder;
  const mode_t old_mask = umask(022);
  write_atomically(folder.file("a"), "x");
  umask(old_mask);
  struct stat status = {};
  REQUIRE(stat(folder.file("a").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0644);
}

TEST_CASE("remove_stale_temporaries: what a killed process left, and nothing else") {
  const TemporaryFolder folder;
  write_atomically(folder.file("a.tmp"), "keep");
  const ChildResult child = run_in_child([&] {
    AtomicFile file(folder.file("model.safetensors"));
    file.write("half");
    raise(SIGKILL);
    return 0;
  });
  CHECK(child.code == -SIGKILL);
  CHECK(folder.names().size() == 2);
  remove_stale_temporaries(folder.path());
  CHECK(folder.names() == Names{"a.tmp"});
  CHECK_THROWS_AS(remove_stale_temporaries(folder.file("none")), Error);
}

TEST_CASE("read_file: errors name the path") {
  const TemporaryFolder folder;
  const std::string lost = folder.file("none");
  CHECK_THROWS_WITH_AS(read_file(lost), ("cannot read " + lost + ": No such file or directory").c_str(), Error);
  CHECK_THROWS_WITH_AS(read_file(folder.path()), ("cannot read " + folder.path() + ": Is a directory").c_str(), Error);
}

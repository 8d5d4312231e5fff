#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

#include "autograd/files/file.h"
#include "tests/temporary_folder.h"

namespace mixtape::tests {

/// How a program ended: its exit code, or minus the signal that ended it; and what it wrote.
struct Ended {
  int code = 0;
  std::string output, errors;
};

/// One of the built programs as a process of its own.
class Program {
 public:
  /// Starts build/examples/`arguments[0]`, or that program itself if it is a path. Standard input is `input`.
  explicit Program(std::vector<std::string> arguments, const std::string& input = "") {
    if (arguments[0].find('/') == std::string::npos) arguments[0] = MIXTAPE_BUILD_DIR "/examples/" + arguments[0];
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    const std::string source = files_.write("in", input);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, source.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, files_.file("out").c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, files_.file("err").c_str(), O_WRONLY | O_CREAT, 0600);
    const int failed = posix_spawn(&child_, pointers[0], &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("cannot start " + arguments[0]);
  }
  ~Program() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void send(int signal) const { kill(child_, signal); }

  bool running() const {
    siginfo_t info = {};
    return waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }

  Ended wait() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = 0;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), read_file(files_.file("out")),
            read_file(files_.file("err"))};
  }

 private:
  TemporaryFolder files_;
  pid_t child_ = 0;
};

inline Ended run_program(const std::vector<std::string>& arguments, const std::string& input = "") {
  return Program(arguments, input).wait();
}

inline int64_t lines_of(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace mixtape::tests

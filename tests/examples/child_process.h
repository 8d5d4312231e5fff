#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <stdexcept>
#include <string>

namespace mixtape::examples {

/// How a child process ended: its exit code, or minus the signal that killed it; and what it wrote.
struct ChildResult {
  int code = 0;
  std::string output, errors;
};

inline std::string read_all(int descriptor) {
  std::string text;
  char block[4096];
  for (ssize_t count = 0; (count = read(descriptor, block, sizeof block)) > 0;) {
    text.append(block, static_cast<size_t>(count));
  }
  close(descriptor);
  return text;
}

/// Runs `body` in a forked process; its result is the exit code. Output and errors must fit into a pipe (64 KB each).
template <class Body>
ChildResult run_in_child(Body body) {
  int output[2], errors[2];
  if (pipe(output) != 0 || pipe(errors) != 0) throw std::runtime_error("pipe failed");
  std::cout.flush();  // or the child would print it again
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    dup2(output[1], STDOUT_FILENO);
    dup2(errors[1], STDERR_FILENO);
    _exit(body());
  }
  close(output[1]);
  close(errors[1]);
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), read_all(output[0]), read_all(errors[0])};
}

}  // namespace mixtape::examples

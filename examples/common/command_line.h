#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace mixtape::examples {

/// Thrown by a command to end the program with `code` after it has said why, as after Ctrl-C.
struct Exit {
  int code = 0;
};

/// The main function of a program: `setup` adds options and subcommands with callbacks, the command line is read, the
/// callback runs. Every program gets `--help` for itself and for each subcommand. Returns the exit code:
/// - 0 if all went well and standard output took everything that was written;
/// - 2 for bad usage or bad input (a mixtape::Error), with one line on stderr: `translator: cannot read a.txt: ...`;
/// - 1 for any other exception, with one line on stderr;
/// - the code of an Exit.
///
///     int main(int argc, char** argv) {
///       return run_program("vit", "Trains an image classifier.", argc, argv, [](CLI::App& app) { add_train(app); });
///     }
int run_program(const std::string& name, const std::string& description, int argc, const char* const* argv,
                const std::function<void(CLI::App&)>& setup);

/// For `option->check(...)`: says what is wrong with a value, or nothing.
using Check = std::function<std::string(const std::string&)>;

/// A whole decimal number from `low` to `high`. (The conversion of CLI11 alone reads 010 as 8 and cuts off what is too
/// large.)
Check whole_number(int64_t low, int64_t high = INT64_MAX);

/// A finite number above 0.
Check positive_number();

}  // namespace mixtape::examples

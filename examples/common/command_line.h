#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mixtape::examples {

/// Thrown by a command to end the program with `code` when it has already printed the reason, as after Ctrl-C.
struct Exit {
  int code = 0;
};

/// Returns what is wrong with the value of an option; empty if it is valid.
using Check = std::function<std::string(const std::string&)>;

/// A whole decimal number from `low` to `high`. (010 and numbers that are too large are errors.)
Check whole_number(int64_t low, int64_t high = INT64_MAX);

/// A finite number above 0.
Check positive_number();

/// An option of a command. The functions return the option, for chaining.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}
  Option& required();
  Option& check(const Check& check);
  Option& one_of(const std::vector<std::string>& names);
  Option& excludes(const Option& other);  ///< at most one of the two may be given

 private:
  CLI::Option* option_;
};

/// A program or one of its subcommands: its options and its action. The variable of an option that is not given does
/// not change (the help shows its value as the default). It must live until the command line has been read.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(&app) {}
  Command subcommand(const std::string& name, const std::string& description);
  void run(const std::function<void()>& action);  ///< called once the command line has been read

  Option option(const std::string& name, std::string& value, const std::string& help);
  Option option(const std::string& name, int64_t& value, const std::string& help);
  Option option(const std::string& name, uint64_t& value, const std::string& help);
  Option option(const std::string& name, double& value, const std::string& help);
  Option option(const std::string& name, std::optional<int64_t>& value, const std::string& help);
  Option option(const std::string& name, std::optional<double>& value, const std::string& help);
  /// `--name` can be given several times, each with one value; a `name` without dashes takes all remaining words.
  Option option(const std::string& name, std::vector<std::string>& values, const std::string& help);
  Option flag(const std::string& name, bool& value, const std::string& help);

 private:
  CLI::App* app_;
};

/// The main function of a program: `setup` adds options and subcommands, the command line is read, the action of the
/// command runs. Every program gets `--help` for itself and for each subcommand. Returns the exit code:
/// - 0 on success, if all output could be written;
/// - 2 for bad usage or bad input (a mixtape::Error), with one line on stderr: `translator: cannot read a.txt: ...`;
/// - 1 for any other exception, with one line on stderr;
/// - the code of an Exit.
///
///     int main(int argc, char** argv) {
///       return run_program("vit", "Trains an image classifier.", argc, argv, [](Command& vit) { add_train(vit); });
///     }
int run_program(const std::string& name, const std::string& description, int argc, const char* const* argv,
                const std::function<void(Command&)>& setup);

}  // namespace mixtape::examples

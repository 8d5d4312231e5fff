#include "examples/common/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <new>
#include <string_view>

#include "autograd/tensors/error.h"

namespace mixtape::examples {
namespace {

constexpr int kFailure = 1, kBadInput = 2;

int complain(const std::string& name, std::string message, int exit_code) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ' ');
  fmt::print(stderr, "{}: {}\n", name, message);
  return exit_code;
}

/// `translator train`: the program and the subcommands.
std::string command_name(const CLI::App& app) {
  std::string name = app.get_name();
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  return name;
}

int parse_and_run(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    const bool unknown_command = app.get_subcommands().empty() && app.remaining_size() > 0;
    const std::string reason = unknown_command ? "unknown command or option " + app.remaining().front() : error.what();
    return complain(app.get_name(), fmt::format("{} (see {} --help)", reason, command_name(app)), kBadInput);
  }
}

int flush_output(const std::string& name) {
  errno = 0;
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good()) return 0;
  const char* reason = errno != 0 ? std::strerror(errno) : "write failed";
  return complain(name, fmt::format("cannot write to standard output: {}", reason), kBadInput);
}

template <class T>
Option add_option(CLI::App& app, const std::string& name, T& value, const std::string& help) {
  return Option(*app.add_option(name, value, help));
}

template <class T>
Option add_option_with_default(CLI::App& app, const std::string& name, T& value, const std::string& help) {
  return Option(*app.add_option(name, value, help)->capture_default_str());
}

}  // namespace

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::check(const Check& check) {
  option_->check(check);
  return *this;
}

Option& Option::one_of(const std::vector<std::string>& names) {
  option_->check(CLI::IsMember(names));
  return *this;
}

Option& Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}

Command Command::subcommand(const std::string& name, const std::string& description) {
  return Command(*app_->add_subcommand(name, description));
}

void Command::run(const std::function<void()>& action) { app_->callback(action); }

Option Command::option(const std::string& name, std::string& value, const std::string& help) {
  return value.empty() ? add_option(*app_, name, value, help) : add_option_with_default(*app_, name, value, help);
}

Option Command::option(const std::string& name, int64_t& value, const std::string& help) {
  return add_option_with_default(*app_, name, value, help);
}

Option Command::option(const std::string& name, uint64_t& value, const std::string& help) {
  return add_option_with_default(*app_, name, value, help);
}

Option Command::option(const std::string& name, double& value, const std::string& help) {
  return add_option_with_default(*app_, name, value, help);
}

Option Command::option(const std::string& name, std::optional<int64_t>& value, const std::string& help) {
  return add_option(*app_, name, value, help);
}

Option Command::option(const std::string& name, std::optional<double>& value, const std::string& help) {
  return add_option(*app_, name, value, help);
}

Option Command::option(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  CLI::Option* option = app_->add_option(name, values, help);
  if (name.starts_with('-')) option->allow_extra_args(false);
  return Option(*option);
}

Option Command::flag(const std::string& name, bool& value, const std::string& help) {
  return Option(*app_->add_flag(name, value, help));
}

int run_program(const std::string& name, const std::string& description, int argc, const char* const* argv,
                const std::function<void(Command&)>& setup) {
  try {
    CLI::App app(description, name);
    Command command(app);
    setup(command);
    if (!app.get_subcommands({}).empty()) app.require_subcommand(1);
    const int code = parse_and_run(app, argc, argv);
    return code != 0 ? code : flush_output(name);
  } catch (const Exit& exit) {
    const int code = flush_output(name);
    return code != 0 ? code : exit.code;
  } catch (const Error& error) {
    return complain(name, error.what(), kBadInput);
  } catch (const std::bad_alloc&) {
    return complain(name, "out of memory", kFailure);
  } catch (const std::exception& error) {
    return complain(name, error.what(), kFailure);
  } catch (...) {
    return complain(name, "unknown failure", kFailure);
  }
}

Check whole_number(int64_t low, int64_t high) {
  return [low, high](const std::string& text) -> std::string {
    int64_t value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = result.ec == std::errc() && fmt::format("{}", value) == text && value >= low && value <= high;
    if (good) return "";
    if (high == INT64_MAX) return fmt::format("must be a whole number of at least {}, not {}", low, text);
    return fmt::format("must be a whole number from {} to {}, not {}", low, high, text);
  };
}

Check positive_number() {
  return [](const std::string& text) -> std::string {
    double value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole_text = result.ptr == text.data() + text.size();
    if (result.ec == std::errc() && whole_text && std::isfinite(value) && value > 0) return "";
    return fmt::format("must be a number above 0, not {}", text);
  };
}

}  // namespace mixtape::examples

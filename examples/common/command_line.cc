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

#include "autograd/error.h"

namespace mixtape::examples {
namespace {

constexpr int kFailure = 1, kBadInput = 2;

int complain(const std::string& name, std::string message, int exit_code) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ' ');
  fmt::print(stderr, "{}: {}\n", name, message);
  return exit_code;
}

/// `translator train`: the program and the subcommands that were named.
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

}  // namespace

int run_program(const std::string& name, const std::string& description, int argc, const char* const* argv,
                const std::function<void(CLI::App&)>& setup) {
  try {
    CLI::App app(description, name);
    setup(app);
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

#include "examples/common/config.h"

#include <fmt/format.h>

#include <utility>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"

namespace mixtape::examples {
namespace {

[[noreturn]] void fail_type(const std::string& path, std::string_view key, std::string_view expected,
                            const Json& found) {
  fail(fmt::format("{}: \"{}\" must be {}, found {}", path, key, expected, to_text(found)));
}

}  // namespace

Config::Config(const std::string& path) : Config(path, parse_json(read_file(path), path)) {}

Config::Config(const std::string& name, Json values) : path_(name), values_(std::move(values)) {
  if (values_.get_if<Json::Object>() == nullptr) {
    fail(fmt::format("{}: expected a JSON object, found {}", name, values_.kind()));
  }
}

const Json* Config::find(std::string_view key) const {
  const Json* at = &values_;
  while (at != nullptr) {
    const size_t dot = key.find('.');
    at = at->find(key.substr(0, dot));
    if (dot == key.npos) break;
    key.remove_prefix(dot + 1);
  }
  return at;
}

const Json& Config::at(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) fail(fmt::format("{}: \"{}\" is missing", path_, key));
  return *value;
}

bool Config::has(std::string_view key) const { return find(key) != nullptr; }

int64_t Config::integer(std::string_view key) const {
  const Json& value = at(key);
  if (const auto* number = value.get_if<int64_t>()) return *number;
  fail_type(path_, key, "a whole number", value);
}

double Config::number(std::string_view key) const {
  const Json& value = at(key);
  if (value.is_number()) return value.number();
  fail_type(path_, key, "a number", value);
}

bool Config::flag(std::string_view key) const {
  const Json& value = at(key);
  if (const auto* flag = value.get_if<bool>()) return *flag;
  fail_type(path_, key, "true or false", value);
}

std::string Config::text(std::string_view key) const {
  const Json& value = at(key);
  if (const auto* text = value.get_if<std::string>()) return *text;
  fail_type(path_, key, "a text", value);
}

void Config::expect(std::string_view key, std::string_view expected) const {
  const Json& value = at(key);
  const auto* text = value.get_if<std::string>();
  if (text == nullptr || *text != expected) fail_type(path_, key, fmt::format("\"{}\"", expected), value);
}

void write_json(const std::string& path, const Json& values) { write_atomically(path, to_text(values, 2) + "\n"); }

}  // namespace mixtape::examples

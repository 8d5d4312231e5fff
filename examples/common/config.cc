#include "examples/common/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "autograd/error.h"
#include "autograd/file.h"

namespace mixtape::examples {
namespace {

using nlohmann::json;

json parse(const std::string& path) {
  const std::string text = read_file(path);
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    const auto end = text.begin() + std::min(std::ssize(text), static_cast<std::ptrdiff_t>(error.byte));
    fail(fmt::format("{}:{}: not valid JSON", path, 1 + std::count(text.begin(), end, '\n')));
  }
}

[[noreturn]] void fail_type(const std::string& path, std::string_view key, std::string_view expected,
                            const json& found) {
  const std::string value = found.dump(-1, ' ', false, json::error_handler_t::replace);
  fail(fmt::format("{}: \"{}\" must be {}, found {}", path, key, expected, value));
}

}  // namespace

Config::Config(const std::string& path) : Config(path, parse(path)) {}

Config::Config(const std::string& name, const json& values)
    : path_(name), values_(std::make_shared<const json>(values)) {
  if (!values_->is_object()) fail(fmt::format("{}: expected a JSON object, found {}", name, values_->type_name()));
}

const json* Config::find(std::string_view key) const {
  const json* at = values_.get();
  while (at->is_object()) {
    const size_t dot = key.find('.');
    const auto member = at->find(std::string(key.substr(0, dot)));
    if (member == at->end()) return nullptr;
    at = &*member;
    if (dot == key.npos) return at;
    key.remove_prefix(dot + 1);
  }
  return nullptr;
}

const json& Config::at(std::string_view key) const {
  const json* value = find(key);
  if (value == nullptr) fail(fmt::format("{}: \"{}\" is missing", path_, key));
  return *value;
}

bool Config::has(std::string_view key) const { return find(key) != nullptr; }

int64_t Config::integer(std::string_view key) const {
  const json& value = at(key);
  const bool too_large = value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
  if (!value.is_number_integer() || too_large) fail_type(path_, key, "a whole number", value);
  return value.get<int64_t>();
}

double Config::number(std::string_view key) const {
  const json& value = at(key);
  if (!value.is_number()) fail_type(path_, key, "a number", value);
  return value.get<double>();
}

bool Config::flag(std::string_view key) const {
  const json& value = at(key);
  if (!value.is_boolean()) fail_type(path_, key, "true or false", value);
  return value.get<bool>();
}

std::string Config::text(std::string_view key) const {
  const json& value = at(key);
  if (!value.is_string()) fail_type(path_, key, "a text", value);
  return value.get<std::string>();
}

void Config::expect(std::string_view key, std::string_view expected) const {
  const json& value = at(key);
  if (value != json(expected)) fail_type(path_, key, fmt::format("\"{}\"", expected), value);
}

void write_json(const std::string& path, const json& values) {
  write_atomically(path, values.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace mixtape::examples

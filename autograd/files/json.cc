#include "autograd/files/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "autograd/tensors/error.h"

namespace mixtape {
namespace {

using nlohmann::ordered_json;

constexpr size_t kDeepest = 200;  // values are copied and freed by recursion

bool repeats_a_name(const Json& json) {
  const auto* members = json.get_if<Json::Object>();
  if (!members) return false;
  std::vector<std::string_view> names;
  for (const JsonMember& member : *members) names.emplace_back(member.name);
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

// Builds a value from the parser's events. A function that returns false ends the parsing.
class Builder {
 public:
  Json value;
  size_t error_position = 0;  // characters read when the text turned out to be no JSON
  bool too_deep = false, repeated = false;

  bool null() { return add({}); }
  bool boolean(bool flag) { return add(flag); }
  bool number_integer(int64_t number) { return add(number); }
  bool number_unsigned(uint64_t number) { return add(number); }
  bool number_float(double number, const std::string&) { return add(number); }
  bool string(std::string& text) { return add(std::move(text)); }
  bool binary(ordered_json::binary_t&) { return false; }
  bool start_object(size_t) { return open(Json::Object()); }
  bool start_array(size_t) { return open(Json::Array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    open_.back().key = std::move(name);
    return true;
  }
  bool parse_error(size_t position, const std::string&, const ordered_json::exception&) {
    error_position = position;
    return false;
  }

 private:
  struct Level {
    Json value;
    std::string key;  // of the member that is read
  };

  bool add(Json added) {
    if (open_.empty()) {
      value = std::move(added);
    } else if (Level& level = open_.back(); auto* elements = level.value.get_if<Json::Array>()) {
      elements->push_back(std::move(added));
    } else {
      level.value.get_if<Json::Object>()->push_back({std::move(level.key), std::move(added)});
    }
    return true;
  }

  bool open(Json empty) {
    too_deep = open_.size() == kDeepest;
    open_.push_back({std::move(empty), ""});
    return !too_deep;
  }

  bool close() {
    Json closed = std::move(open_.back().value);
    open_.pop_back();
    repeated = repeats_a_name(closed);
    return !repeated && add(std::move(closed));
  }

  std::vector<Level> open_;
};

ordered_json to_library(const Json& json) {
  if (const auto* flag = json.get_if<bool>()) return *flag;
  if (const auto* number = json.get_if<int64_t>()) return *number;
  if (const auto* number = json.get_if<uint64_t>()) return *number;
  if (const auto* number = json.get_if<double>()) return *number;
  if (const auto* text = json.get_if<std::string>()) return *text;
  ordered_json result;
  if (const auto* elements = json.get_if<Json::Array>()) {
    result = ordered_json::array();
    for (const Json& element : *elements) result.push_back(to_library(element));
  } else if (const auto* members = json.get_if<Json::Object>()) {
    result = ordered_json::object();
    auto& object = result.get_ref<ordered_json::object_t&>();  // its own operator[] looks through all members
    for (const auto& [name, value] : *members) object.emplace_back(name, to_library(value));
  }
  return result;
}

}  // namespace

Json::Json(std::nullptr_t) {}
Json::Json(bool value) : value_(value) {}
Json::Json(int value) : Json(int64_t{value}) {}
Json::Json(int64_t value) : value_(value) {}
Json::Json(uint64_t value) {
  if (std::in_range<int64_t>(value)) {
    value_ = static_cast<int64_t>(value);
  } else {
    value_ = value;
  }
}
Json::Json(double value) : value_(value) {}
Json::Json(const char* text) : value_(std::string(text)) {}
Json::Json(std::string text) : value_(std::move(text)) {}
Json::Json(Array elements) : value_(std::move(elements)) {}
Json::Json(Object members) : value_(std::move(members)) {}
Json::Json(std::initializer_list<JsonMember> members) : value_(Object(members)) {}

Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;

double Json::number() const {
  if (const auto* value = get_if<int64_t>()) return static_cast<double>(*value);
  if (const auto* value = get_if<uint64_t>()) return static_cast<double>(*value);
  return get<double>();
}

const char* Json::kind() const {
  constexpr std::array kKinds = {"null", "boolean", "number", "number", "number", "string", "array", "object"};
  return kKinds[value_.index()];
}

const Json* Json::find(std::string_view name) const {
  const Object* members = get_if<Object>();
  if (members == nullptr) return nullptr;
  for (const JsonMember& member : *members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

const Json& Json::at(std::string_view name) const {
  const Json* value = find(name);
  if (value == nullptr) fail(fmt::format("JSON: {} without a member \"{}\"", kind(), name));
  return *value;
}

Json& Json::operator[](std::string_view name) {
  Object* members = get_if<Object>();
  if (members == nullptr) fail_kind("object");
  for (JsonMember& member : *members) {
    if (member.name == name) return member.value;
  }
  return members->emplace_back(JsonMember{std::string(name), {}}).value;
}

void Json::fail_kind(const char* expected) const { fail(fmt::format("JSON: expected {}, found {}", expected, kind())); }

bool operator==(const Json& a, const Json& b) { return a.value_ == b.value_; }
bool JsonMember::operator==(const JsonMember& other) const { return name == other.name && value == other.value; }

Json parse_json(std::string_view text, const std::string& name) {
  Builder builder;
  if (ordered_json::sax_parse(text, &builder)) return std::move(builder.value);
  if (builder.too_deep) fail(fmt::format("{}: JSON that nests more than {} deep", name, kDeepest));
  if (builder.repeated) fail(fmt::format("{}: JSON with two members of one name", name));
  const std::string_view read = text.substr(0, builder.error_position);
  fail(fmt::format("{}:{}: not valid JSON", name, 1 + std::count(read.begin(), read.end(), '\n')));
}

std::optional<Json> try_parse_json(std::string_view text) {
  Builder builder;
  if (!ordered_json::sax_parse(text, &builder)) return std::nullopt;
  return std::move(builder.value);
}

std::string to_text(const Json& json, int indent, NotUtf8 bytes) {
  using Handler = ordered_json::error_handler_t;
  try {
    return to_library(json).dump(indent, ' ', false, bytes == NotUtf8::replace ? Handler::replace : Handler::strict);
  } catch (const ordered_json::exception&) {
    fail("JSON: a text is not UTF-8");
  }
}

}  // namespace mixtape

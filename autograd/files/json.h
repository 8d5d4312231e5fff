#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mixtape {

struct JsonMember;

/// A JSON value: null, true or false, a number, a text, an array, or an object, whose members keep their order.
///
///     Json result{{"bleu", 31.5}, {"model", {{"width", 128}, {"tied", true}}}};
///     result["seconds"] = 2.5;
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<JsonMember>;

  Json(std::nullptr_t = nullptr);
  Json(bool value);
  Json(int value);
  Json(int64_t value);
  Json(uint64_t value);  ///< held as int64_t unless too large for that
  Json(double value);
  Json(const char* text);
  Json(std::string text);
  Json(Array elements);
  Json(Object members);
  Json(std::initializer_list<JsonMember> members);
  Json(const void*) = delete;  // a pointer is not true or false

  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();

  /// The value if it is a `Kind`, otherwise nullptr. Kinds are bool, int64_t, uint64_t (above the largest int64_t),
  /// double, std::string, Array and Object.
  template <class Kind>
  const Kind* get_if() const {
    return std::get_if<Kind>(&value_);
  }
  template <class Kind>
  Kind* get_if() {
    return std::get_if<Kind>(&value_);
  }

  /// As get_if, but throws mixtape::Error if the value is no `Kind`.
  template <class Kind>
  const Kind& get() const {
    const Kind* value = get_if<Kind>();
    if (value == nullptr) fail_kind(Json(Kind()).kind());
    return *value;
  }

  bool is_null() const { return get_if<std::monostate>() != nullptr; }
  bool is_whole_number() const { return get_if<int64_t>() != nullptr || get_if<uint64_t>() != nullptr; }
  bool is_number() const { return is_whole_number() || get_if<double>() != nullptr; }
  double number() const;     ///< any number; throws if it is none
  const char* kind() const;  ///< null, boolean, number, string, array or object

  const Json* find(std::string_view name) const;  ///< the member; nullptr if there is none, or the value is no object
  const Json& at(std::string_view name) const;    ///< throws if there is none

  /// The member, or a new one that is null. Throws if the value is no object. Adding members moves the others.
  Json& operator[](std::string_view name);

  /// The same kinds and values (2 is not 2.0), members in the same order.
  friend bool operator==(const Json& a, const Json& b);

 private:
  [[noreturn]] void fail_kind(const char* expected) const;

  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, Array, Object> value_;
};

/// A name and a value of an object.
struct JsonMember {
  std::string name;
  Json value;
  bool operator==(const JsonMember& other) const;
};

/// Throws mixtape::Error with `name` (the file's, say) and the line, as in `config.json:3: not valid JSON`, or if the
/// text nests more than 200 deep or an object has two members of one name.
Json parse_json(std::string_view text, const std::string& name);

/// Nothing where parse_json throws.
std::optional<Json> try_parse_json(std::string_view text);

/// What becomes of bytes in a string that are not UTF-8: U+FFFD takes their place, or an Error is thrown.
enum class NotUtf8 { replace, refuse };

/// On one line, or with `indent` spaces a level. Numbers read back to the bit; those that are not finite become null.
std::string to_text(const Json& json, int indent = -1, NotUtf8 bytes = NotUtf8::replace);

}  // namespace mixtape

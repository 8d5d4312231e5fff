#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "autograd/files/json.h"

namespace mixtape::examples {

/// A JSON settings file, with checked access. Keys of nested objects are joined with dots: `model.width`.
/// Every error is a mixtape::Error with the path, the key, the value and what was expected.
class Config {
 public:
  /// Reads `path`. Throws if it cannot be read, is not JSON (with the line number) or not an object.
  explicit Config(const std::string& path);
  /// Values from another source; `name` stands for the path in errors.
  Config(const std::string& name, Json values);

  bool has(std::string_view key) const;
  int64_t integer(std::string_view key) const;  ///< a whole number
  double number(std::string_view key) const;    ///< any number
  bool flag(std::string_view key) const;        ///< true or false
  std::string text(std::string_view key) const;

  /// Throws unless the value of `key` is `expected`. The message gives both.
  void expect(std::string_view key, std::string_view expected) const;

  /// All values.
  const Json& values() const { return values_; }

 private:
  const Json* find(std::string_view key) const;
  const Json& at(std::string_view key) const;

  std::string path_;
  Json values_;
};

/// Writes `values` to `path` as indented JSON, atomically. Bytes in strings that are not UTF-8 are replaced by U+FFFD.
void write_json(const std::string& path, const Json& values);

}  // namespace mixtape::examples

#include "data/unicode.h"

#include <doctest/doctest.h>

#include "autograd/tensors/error.h"

using namespace mixtape;

TEST_CASE("unicode: accepts the first and last code point of each length") {
  const std::string_view text("\0\x7F\u0080\u07FF\u0800\uD7FF\uE000\uFFFF\U00010000\U0010FFFF", 26);
  CHECK(!data::find_invalid_utf8(text));
  CHECK(data::to_code_points(text) ==
        std::u32string_view(U"\0\x7F\u0080\u07FF\u0800\uD7FF\uE000\uFFFF\U00010000\U0010FFFF", 10));
  CHECK(!data::find_invalid_utf8(""));
}

TEST_CASE("unicode: names the first byte that is not UTF-8") {
  struct Case {
    std::string_view text;
    int64_t offset;
  };
  const Case cases[] = {
      {"\x80", 0},
      {"ab\xFF", 2},
      {"\xC3", 0},
      {"\xC0\x80", 0},
      {"\xC1\xBF", 0},
      {"\xE0\x9F\xBF", 0},
      {"\xED\xA0\x80", 0},
      {"\xED\xBF\xBF", 0},
      {"\xF0\x8F\xBF\xBF", 0},
      {"ä\xF4\x90\x80\x80", 2},
      {"\xF8\x88\x80\x80\x80", 0},
      {"\xE2\x82", 0},
      {"é\xE2\x28\xA1", 2},
      {"\xFE\xFF", 0},
      {"x\xF0\x9F\x98", 1},
  };
  for (const Case& item : cases) {
    CAPTURE(item.text);
    CHECK(data::find_invalid_utf8(item.text) == item.offset);
    CHECK_THROWS_AS(data::to_code_points(item.text), Error);
  }
}

TEST_CASE("unicode: splits where Python's str.split() does") {
  using Words = std::vector<std::string_view>;
  CHECK(data::split_words("  ein\tHund\u00A0und\u3000zwei\x1cKatzen\u2028 ") ==
        Words{"ein", "Hund", "und", "zwei", "Katzen"});
  CHECK(data::split_words("zero\u200Bwidth \uFEFFstays\u180E") == Words{"zero\u200Bwidth", "\uFEFFstays\u180E"});
  CHECK(data::split_words(" \n ").empty());
  CHECK(data::to_visible_code_points(" a \u2009ß\n") == U"aß");
}

#include "autograd/files/json.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "autograd/tensors/error.h"

using namespace mixtape;

namespace {

// The text of what the text says.
std::string again(const std::string& text) { return to_text(parse_json(text, "text")); }

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("Json: an object is written as it is declared") {
  Json json{{"name", "small"}, {"steps", 20}, {"model", {{"width", 64}, {"tied", true}}}, {"none", nullptr}};
  json["shape"] = Json::Array{2, 3.5, "x", Json::Array{}, Json::Object{}};
  json["steps"] = 30;
  CHECK(to_text(json) ==
        R"({"name":"small","steps":30,"model":{"width":64,"tied":true},"none":null,"shape":[2,3.5,"x",[],{}]})");
  CHECK(to_text(Json{{"a", {{"b", 1}}}, {"c", Json::Array{1, 2}}}, 2) ==
        "{\n  \"a\": {\n    \"b\": 1\n  },\n  \"c\": [\n    1,\n    2\n  ]\n}");
  CHECK(to_text({}) == "null");
}

TEST_CASE("Json: text, value and text again") {
  for (const std::string text :
       {"null", "true", "false", "0", "-7", "9223372036854775807", "-9223372036854775808", "18446744073709551615",
        "0.1", "1e+300", "-2.5e-07", "1.0", "\"\"", R"("a \"quote\", a \\ and a\nline\u0001")", R"("Größe 🙂")", "[]",
        "{}", R"({"z":1,"a":[{"b":null},[[]]],"":{"c":false}})"}) {
    CAPTURE(text);
    CHECK(again(text) == text);
    CHECK(parse_json(again(text), "text") == parse_json(text, "text"));
  }
  CHECK(again(" [ 1 ,\n2 ] ") == "[1,2]");
  CHECK(parse_json(R"("\u00e9\ud83d\ude42\/")", "text") == Json("é🙂/"));
}

TEST_CASE("Json: numbers") {
  CHECK(parse_json("7", "text").get<int64_t>() == 7);
  CHECK(parse_json("18446744073709551615", "text").get<uint64_t>() == UINT64_MAX);
  CHECK(Json(uint64_t{7}).get<int64_t>() == 7);
  CHECK(Json(UINT64_MAX).is_whole_number());
  CHECK(Json(UINT64_MAX).number() == 18446744073709551615.0);
  CHECK(parse_json("2", "text").number() == 2);
  CHECK(parse_json("18446744073709551616", "text").get<double>() == 18446744073709551616.0);
  CHECK(!Json(2.0).is_whole_number());
  CHECK(Json(2.0).is_number());
  CHECK(!Json("2").is_number());
  CHECK(Json(2) != Json(2.0));
  for (const double value : {0.1, 1.0 / 3, 1e300, 5e-324, -0.0, std::numeric_limits<double>::max()}) {
    CHECK(parse_json(to_text(value), "text").get<double>() == value);
  }
  CHECK(to_text(std::nan("")) == "null");
  CHECK(to_text(-std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("Json: access is checked") {
  const Json json{{"a", 1}, {"b", {{"c", "text"}}}};
  CHECK(json.at("b").at("c").get<std::string>() == "text");
  CHECK(json.find("c") == nullptr);
  CHECK(Json(5).find("c") == nullptr);
  CHECK(Json().is_null());
  CHECK(Json().get_if<bool>() == nullptr);
  CHECK_THROWS_WITH_AS(json.at("c"), "JSON: object without a member \"c\"", Error);
  CHECK_THROWS_WITH_AS(Json(true).at("c"), "JSON: boolean without a member \"c\"", Error);
  CHECK_THROWS_WITH_AS(json.get<Json::Array>(), "JSON: expected array, found object", Error);
  CHECK_THROWS_WITH_AS(Json("2").number(), "JSON: expected number, found string", Error);
  CHECK_THROWS_WITH_AS(Json(2)["a"], "JSON: expected object, found number", Error);
}

TEST_CASE("Json: a copy is its own") {
  const Json first{{"a", Json::Array{1}}};
  Json second = first;
  CHECK(second == first);
  second["a"] = 2;
  CHECK(second != first);
  CHECK(first == Json{{"a", Json::Array{1}}});
}

TEST_CASE("parse_json: bad text is an error with the line") {
  for (const auto& [text, line] : std::vector<std::pair<std::string, int>>{{"", 1},
                                                                           {"{\n \"a\": ?\n}", 2},
                                                                           {"[1,\n2,\n", 3},
                                                                           {"{\"a\" 1}", 1},
                                                                           {"\n[1] 2", 2},
                                                                           {"[1e999]", 1},
                                                                           {"[01]", 1},
                                                                           {"[NaN]", 1},
                                                                           {"\"caf\xe9\"", 1},
                                                                           {"\"a\nb\"", 2},
                                                                           {"[1}", 1}}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(parse_json(text, "a.json"), fmt::format("a.json:{}: not valid JSON", line).c_str(), Error);
    CHECK(!try_parse_json(text));
  }
  CHECK(try_parse_json("{}") == Json(Json::Object()));
}

TEST_CASE("parse_json: nesting has an end") {
  CHECK(again(nested(200)) == nested(200));
  CHECK_THROWS_WITH_AS(parse_json(nested(201), "a.json"), "a.json: JSON that nests more than 200 deep", Error);
  CHECK(!try_parse_json(std::string(1'000'000, '[')));
}

TEST_CASE("to_text: bytes that are not UTF-8 are replaced") {
  CHECK(to_text("caf\xe9") == "\"caf\uFFFD\"");
  CHECK(to_text({{"\xff", 1}}) == "{\"\uFFFD\":1}");
}

TEST_CASE("json: an object names a member once") {
  CHECK_THROWS_WITH_AS(parse_json(R"({"a": 1, "b": {"c": 2, "c": 3}})", "x.json"),
                       "x.json: JSON with two members of one name", Error);
  CHECK(!try_parse_json(R"({"a": 1, "a": 1})"));
}

TEST_CASE("json: text that is not UTF-8 is replaced, or refused") {
  CHECK(to_text(Json("B\xE4r")) == "\"B\xEF\xBF\xBDr\"");
  CHECK_THROWS_WITH_AS(to_text(Json("B\xE4r"), -1, NotUtf8::refuse), "JSON: a text is not UTF-8", Error);
}

#include "autograd/files/safetensors.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "autograd/tensors/error.h"

using namespace mixtape;

namespace {

using Values = std::vector<double>;

// A file with this header and as many data bytes.
std::string file(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes + header + std::string(data_bytes, '\x01');
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets, size_t data_bytes = 8) {
  return file("{" + entry("w", dtype, shape, offsets) + "}", data_bytes);
}

// Checks that reading throws one line that starts with the file's name.
void check_refused(const std::string& bytes, const std::string& why) {
  INFO(why);
  std::string message;
  try {
    from_safetensors(bytes, "model.safetensors");
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK(message.starts_with("model.safetensors: not a safetensors file: "));
  CHECK(message.find('\n') == std::string::npos);
  CHECK(message.size() < 300);
}

}  // namespace

TEST_CASE("every dtype, scalars, empty tensors and metadata make the round trip") {
  const NamedTensors tensors{{"single", Tensor::from(Values{1.5, -2, INFINITY, 1e-40}, {2, 2})},
                             {"double", Tensor::from(Values{M_PI, -0.0, 5e-324}, {3}, f64)},
                             {"index", Tensor::from(std::vector<int32_t>{-7, 2147483647}, {1, 2})},
                             {"half", Tensor::from(Values{1, -3.5, 1024}, {3}, bf16)},
                             {"scalar", Tensor::scalar(42, f64)},
                             {"none", Tensor::zeros({3, 0, 2})},
                             {"Gr\xC3\xB6\xC3\x9F"
                              "e \"quoted\"\n",
                              Tensor::ones({1})}};
  const Metadata metadata{{"step", "17"}, {"note", "a\nb"}};
  const std::string bytes = to_safetensors(tensors, metadata);
  const Safetensors read = from_safetensors(bytes, "x");
  CHECK(read.metadata == metadata);
  REQUIRE(read.tensors.size() == tensors.size());
  for (const NamedTensor& x : tensors) {
    CAPTURE(x.name);
    const Tensor got = find(read.tensors, x.name);
    REQUIRE(got);
    CHECK(got.dtype() == x.tensor.dtype());
    CHECK(got.shape() == x.tensor.shape());
    CHECK(std::memcmp(got.raw_data(), x.tensor.raw_data(), static_cast<size_t>(x.tensor.bytes())) == 0);
  }
  CHECK(to_safetensors(tensors, metadata) == bytes);
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  CHECK(length % 8 == 0);
}

TEST_CASE("a file of nothing") {
  const Safetensors read = from_safetensors(to_safetensors({}), "x");
  CHECK(read.tensors.empty());
  CHECK(read.metadata.empty());
}

TEST_CASE("the bytes that the reference implementation writes") {
  // safetensors.numpy.save({"b": float32 [[1, 2]], "a": int32 [3]}, {"k": "v"})
  const std::string header = R"({"__metadata__":{"k":"v"},"a":{"dtype":"I32","shape":[1],"data_offsets":[8,12]},)"
                             R"("b":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
  const float b[2] = {1, 2};
  const int32_t a = 3;
  std::string bytes = file(header, 0);
  bytes.append(reinterpret_cast<const char*>(b), sizeof(b));
  bytes.append(reinterpret_cast<const char*>(&a), sizeof(a));
  const Safetensors read = from_safetensors(bytes, "x");
  REQUIRE(read.tensors.size() == 2);
  CHECK(read.tensors[0].name == "b");
  CHECK(read.tensors[0].tensor.values() == Values{1, 2});
  CHECK(read.tensors[1].tensor.values() == Values{3});
  CHECK(read.metadata.at("k") == "v");
}

TEST_CASE("a file cut anywhere is refused") {
  const std::string bytes = to_safetensors({{"a", Tensor::ones({2, 3})}, {"b", Tensor::range(3)}}, {{"k", "v"}});
  for (size_t size = 0; size < bytes.size(); ++size) check_refused(bytes.substr(0, size), std::to_string(size));
  for (size_t more : {size_t{1}, size_t{8}, size_t{1000}})
    check_refused(bytes + std::string(more, '\0'), "trailing bytes");
}

TEST_CASE("a file with a changed byte is read or refused, and nothing else happens") {
  const std::string bytes = to_safetensors({{"a", Tensor::ones({2, 3})}, {"b", Tensor::range(3)}}, {{"k", "v"}});
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      try {
        from_safetensors(changed, "x");
      } catch (const Error& error) {
        CHECK(std::string(error.what()).find('\n') == std::string::npos);
      }
    }
  }
}

TEST_CASE("damaged and hostile files are refused in one line") {
  const std::string fits = entry("w", "F32", "[2]", "[0,8]");
  const std::string huge = "18446744073709551615";
  const auto header_length = [](uint64_t length) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    return bytes + "{}";
  };
  const std::vector<std::pair<std::string, std::string>> files{
      {"no header at all", file("", 0)},
      {"a header as long as any number", header_length(UINT64_MAX)},
      {"a header length that wraps around with the 8 bytes before it", header_length(UINT64_MAX - 7)},
      {"a header of a terabyte", header_length(uint64_t{1} << 40)},
      {"a header one byte too long", header_length(3)},
      {"no JSON", file("hello", 0)},
      {"an array", file("[]", 0)},
      {"null", file("null", 0)},
      {"unfinished JSON", file("{" + fits, 8)},
      {"text after the JSON", file("{" + fits + "}}", 8)},
      {"bytes that are not UTF-8", file("{\"\xff\xfe\":" + fits.substr(4) + "}", 8)},
      {"a lone surrogate", file("{\"\\ud800\":" + fits.substr(4) + "}", 8)},
      {"zero bytes", file(std::string(64, '\0'), 8)},
      {"deep nesting", file(std::string(1'000'000, '['), 0)},
      {"deep nesting in an entry", file("{\"w\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}", 0)},
      {"deep objects", file(
                           [] {
                             std::string text;
                             for (int i = 0; i < 100'000; ++i) text += "{\"a\":";
                             return text;
                           }(),
                           0)},
      {"a name twice", file("{" + fits + "," + entry("w", "F32", "[0]", "[8,8]") + "}", 8)},
      {"metadata twice", file("{\"__metadata__\":{},\"__metadata__\":{}}", 0)},
      {"metadata that is no object", file("{\"__metadata__\":[]}", 0)},
      {"metadata that is no text", file("{\"__metadata__\":{\"k\":1}}", 0)},
      {"an entry that is no object", file("{\"w\":3}", 0)},
      {"no dtype", file("{\"w\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8)},
      {"no shape", file("{\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8)},
      {"no offsets", file("{\"w\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8)},
      {"an unknown dtype", one("F8_E4M3", "[8]", "[0,8]")},
      {"a dtype that is a number", file("{\"w\":{\"dtype\":4,\"shape\":[2],\"data_offsets\":[0,8]}}", 8)},
      {"a dtype with a line end", one("F\\n32", "[2]", "[0,8]")},
      {"a dtype without end", one(std::string(100'000, 'F'), "[2]", "[0,8]")},
      {"a shape that is a number", one("F32", "2", "[0,8]")},
      {"a negative size", one("F32", "[-2]", "[0,8]")},
      {"a size that is a fraction", one("F32", "[2.0]", "[0,8]")},
      {"a size that is a text", one("F32", "[\"2\"]", "[0,8]")},
      {"a size that is null", one("F32", "[null]", "[0,8]")},
      {"a size beyond 64 bits", one("F32", "[18446744073709551618]", "[0,8]")},
      {"sizes whose product overflows to fit", one("F32", "[4294967296,4294967296,2]", "[0,8]")},
      {"the largest size", one("F32", "[" + huge + "]", "[0,8]")},
      {"bytes that overflow to fit", one("F32", "[4611686018427387906]", "[0,8]")},
      {"nine axes", one("F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]")},
      {"a million axes", one(
                             "F32",
                             "[" +
                                 [] {
                                   std::string text = "1";
                                   for (int i = 0; i < 100'000; ++i) text += ",1";
                                   return text;
                                 }() +
                                 "]",
                             "[0,8]")},
      {"one offset", one("F32", "[2]", "[8]")},
      {"three offsets", one("F32", "[2]", "[0,4,8]")},
      {"an offset that is a fraction", one("F32", "[2]", "[0.0,8]")},
      {"a negative offset", one("F32", "[2]", "[-8,0]")},
      {"an end before the start", one("F32", "[2]", "[8,0]")},
      {"an end beyond the file", one("F32", "[4]", "[0,16]")},
      {"an end without end", one("F32", "[2]", "[0," + huge + "]")},
      {"offsets that wrap around", one("F32", "[2]", "[" + huge + ",7]")},
      {"too few bytes", one("F32", "[3]", "[0,8]")},
      {"too many bytes", one("F32", "[1]", "[0,8]")},
      {"bytes of another dtype", one("F64", "[2]", "[0,8]")},
      {"overlapping tensors", file("{" + fits + "," + entry("v", "F32", "[2]", "[4,12]") + "}", 12)},
      {"one range for two tensors", file("{" + fits + "," + entry("v", "F32", "[2]", "[0,8]") + "}", 8)},
      {"a gap", file("{" + fits + "," + entry("v", "F32", "[1]", "[12,16]") + "}", 16)},
      {"a gap at the start", one("F32", "[2]", "[8,16]", 16)},
      {"bytes after the last tensor", one("F32", "[2]", "[0,8]", 9)},
      {"an empty tensor inside another", file("{" + fits + "," + entry("v", "F32", "[0]", "[4,4]") + "}", 8)},
      {"a name with line ends", file("{" + entry("a\\nb\\rc\\u2028", "F32", "[3]", "[0,8]") + "}", 8)},
      {"a very long name", file("{" + entry(std::string(1'000'000, 'n'), "F32", "[3]", "[0,8]") + "}", 8)},
  };
  CHECK(files.size() >= 30);
  for (const auto& [why, bytes] : files) check_refused(bytes, why);
}

TEST_CASE("what cannot be written") {
  CHECK_THROWS_WITH_AS(to_safetensors({{"a", Tensor::ones({1})}, {"a", Tensor::ones({1})}}),
                       "safetensors: two tensors are named a", Error);
  CHECK_THROWS_WITH_AS(to_safetensors({{"\xff", Tensor::ones({1})}}),
                       "safetensors: a name or metadata text is not UTF-8", Error);
  CHECK_THROWS_AS(to_safetensors({}, {{"k", "\xff"}}), Error);
  CHECK_THROWS_WITH_AS(to_safetensors({{"__metadata__", Tensor::ones({1})}}),
                       "safetensors: a tensor may not be named __metadata__", Error);
}

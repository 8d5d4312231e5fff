#include "autograd/files/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <set>

#include "autograd/files/json.h"
#include "autograd/tensors/error.h"

namespace mixtape {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian");

constexpr uint64_t kLongestHeader = 100 << 20;

const char* dtype_text(DType dtype) {
  switch (dtype) {
    case f32:
      return "F32";
    case f64:
      return "F64";
    case i32:
      return "I32";
    default:
      return "BF16";
  }
}

// One entry of the header, checked against the number of data bytes.
struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  uint64_t first, last;
};

[[noreturn]] void damaged(const std::string& what, const std::string& why) {
  fail(fmt::format("{}: not a safetensors file: {}", what, why));
}

// Text from the file, made fit for a one-line message.
std::string shown(const std::string& text) {
  std::string result;
  for (const char c : text.substr(0, 60)) result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return text.size() > 60 ? result + "..." : result;
}

uint64_t unsigned_number(const std::string& what, const std::string& name, const Json& value) {
  const auto* number = value.get_if<int64_t>();
  if (number && *number >= 0) return static_cast<uint64_t>(*number);
  if (const auto* large = value.get_if<uint64_t>()) return *large;
  damaged(what, fmt::format("tensor {} has a size that is no whole number", shown(name)));
}

Shape read_shape(const std::string& what, const std::string& name, const Json& value) {
  const auto* sizes = value.get_if<Json::Array>();
  if (!sizes || sizes->size() > Shape::kMaxRank) {
    damaged(what, fmt::format("tensor {} has no shape of at most {} axes", shown(name), Shape::kMaxRank));
  }
  int64_t values[Shape::kMaxRank];
  uint64_t elements = 1;
  for (size_t i = 0; i < sizes->size(); ++i) {
    const uint64_t size = unsigned_number(what, name, (*sizes)[i]);
    if (size > (uint64_t{1} << 48) || (size > 0 && elements > (uint64_t{1} << 48) / size)) {
      damaged(what, fmt::format("tensor {} has a shape that overflows", shown(name)));
    }
    elements *= size;
    values[i] = static_cast<int64_t>(size);
  }
  return Shape(values, static_cast<int>(sizes->size()));
}

Entry read_entry(const std::string& what, const std::string& name, const Json& value, uint64_t data_bytes) {
  const Json *dtype_name = value.find("dtype"), *shape = value.find("shape"), *place = value.find("data_offsets");
  if (!dtype_name || !shape || !place)
    damaged(what, fmt::format("tensor {} lacks dtype, shape or data_offsets", shown(name)));
  Entry entry{name, f32, read_shape(what, name, *shape), 0, 0};
  bool known = false;
  for (DType dtype : {f32, f64, i32, bf16}) {
    if (*dtype_name != Json(dtype_text(dtype))) continue;
    entry.dtype = dtype;
    known = true;
  }
  if (!known)
    damaged(what, fmt::format("tensor {} has dtype {}, expected F32, F64, I32 or BF16", shown(name),
                              shown(to_text(*dtype_name))));
  const auto* offsets = place->get_if<Json::Array>();
  if (!offsets || offsets->size() != 2) damaged(what, fmt::format("tensor {} has no two data_offsets", shown(name)));
  entry.first = unsigned_number(what, name, (*offsets)[0]);
  entry.last = unsigned_number(what, name, (*offsets)[1]);
  if (entry.first > entry.last || entry.last > data_bytes) {
    damaged(what,
            fmt::format("tensor {} lies at bytes {} to {} of {}", shown(name), entry.first, entry.last, data_bytes));
  }
  const auto expected = static_cast<uint64_t>(entry.shape.elements() * size_of(entry.dtype));
  if (entry.last - entry.first != expected) {
    damaged(what, fmt::format("tensor {} {} {} has {} bytes, expected {}", shown(name), dtype_text(entry.dtype),
                              to_string(entry.shape), entry.last - entry.first, expected));
  }
  return entry;
}

Metadata read_metadata(const std::string& what, const Json& value) {
  const auto* members = value.get_if<Json::Object>();
  if (!members) damaged(what, "__metadata__ is no object of texts");
  Metadata metadata;
  for (const auto& [key, text] : *members) {
    if (!text.get_if<std::string>()) damaged(what, "__metadata__ is no object of texts");
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

}  // namespace

std::string to_safetensors(const NamedTensors& tensors, const Metadata& metadata) {
  Json::Object header;
  if (!metadata.empty()) {
    Json::Object texts;
    for (const auto& [key, text] : metadata) texts.push_back({key, text});
    header.push_back({"__metadata__", std::move(texts)});
  }
  std::set<std::string_view> names;
  int64_t offset = 0;
  for (const NamedTensor& x : tensors) {
    if (x.name == "__metadata__") fail("safetensors: a tensor may not be named __metadata__");
    if (!names.insert(x.name).second) fail(fmt::format("safetensors: two tensors are named {}", x.name));
    const Json::Array sizes(x.tensor.shape().begin(), x.tensor.shape().end());
    header.push_back({x.name, Json{{"dtype", dtype_text(x.tensor.dtype())},
                                   {"shape", sizes},
                                   {"data_offsets", Json::Array{offset, offset + x.tensor.bytes()}}}});
    offset += x.tensor.bytes();
  }
  std::string text;
  try {
    text = to_text(std::move(header), -1, NotUtf8::refuse);
  } catch (const Error&) {
    fail("safetensors: a name or metadata text is not UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof(length));
  bytes.reserve(bytes.size() + text.size() + static_cast<size_t>(offset));
  bytes += text;
  for (const NamedTensor& x : tensors)
    bytes.append(static_cast<const char*>(x.tensor.raw_data()), static_cast<size_t>(x.tensor.bytes()));
  return bytes;
}

Safetensors from_safetensors(std::string_view bytes, const std::string& what) {
  uint64_t length = 0;
  if (bytes.size() < sizeof(length)) damaged(what, fmt::format("{} bytes, expected at least 8", bytes.size()));
  std::memcpy(&length, bytes.data(), sizeof(length));
  if (length > kLongestHeader || length > bytes.size() - sizeof(length)) {
    damaged(what, fmt::format("a header of {} bytes in a file of {}", length, bytes.size()));
  }
  const std::optional<Json> header = try_parse_json(bytes.substr(sizeof(length), length));
  if (!header || !header->get_if<Json::Object>())
    damaged(what, "the header is no JSON object of tensors, each named once");
  const std::string_view data = bytes.substr(sizeof(length) + length);
  Safetensors result;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header->get<Json::Object>()) {
    if (name == "__metadata__") {
      result.metadata = read_metadata(what, value);
    } else {
      entries.push_back(read_entry(what, name, value, data.size()));
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.first, a.last) < std::pair(b.first, b.last);
  });
  uint64_t reached = 0;
  for (const Entry& entry : entries) {
    if (entry.first != reached) {
      damaged(what, fmt::format("tensor {} starts at byte {}, expected {}", shown(entry.name), entry.first, reached));
    }
    reached = entry.last;
  }
  if (reached != data.size()) damaged(what, fmt::format("{} bytes follow the last tensor", data.size() - reached));
  for (const Entry& entry : entries) {
    Tensor tensor = Tensor::uninitialized(entry.shape, entry.dtype);
    std::memcpy(tensor.mutable_raw_data(), data.data() + entry.first, entry.last - entry.first);
    result.tensors.push_back({entry.name, tensor});
  }
  return result;
}

}  // namespace mixtape

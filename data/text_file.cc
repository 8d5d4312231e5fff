#include "data/text_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"
#include "data/unicode.h"

namespace mixtape::data {
namespace {

namespace fs = std::filesystem;

constexpr size_t kChunk = size_t{1} << 16;
constexpr std::string_view kGzipMagic = "\x1f\x8b";

/// zlib's decompressor for one gzip member after another.
class Inflater {
 public:
  explicit Inflater(std::string_view bytes) : rest_(bytes) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) fail("zlib: cannot start");
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  /// What has not been read yet.
  std::string_view rest() const { return rest_; }

  /// Appends the member at the start of rest() to `text`; nothing when that went well, else what is wrong.
  std::optional<std::string> read_member(std::string& text) {
    inflateReset(&stream_);
    for (int status = Z_OK; status != Z_STREAM_END;) {
      const size_t filled = text.size();
      text.resize(filled + kChunk);
      const auto given = static_cast<uInt>(std::min<size_t>(rest_.size(), std::numeric_limits<uInt>::max()));
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest_.data()));
      stream_.avail_in = given;
      stream_.next_out = reinterpret_cast<Bytef*>(text.data() + filled);
      stream_.avail_out = static_cast<uInt>(kChunk);
      status = inflate(&stream_, Z_NO_FLUSH);
      rest_.remove_prefix(given - stream_.avail_in);
      text.resize(filled + kChunk - stream_.avail_out);
      if (status == Z_BUF_ERROR) return "the gzip data is cut short";
      if (status != Z_OK && status != Z_STREAM_END) {
        return fmt::format("the gzip data is damaged ({})", stream_.msg != nullptr ? stream_.msg : zError(status));
      }
    }
    return std::nullopt;
  }

 private:
  z_stream stream_{};
  std::string_view rest_;
};

std::string gunzip(const fs::path& path, std::string_view bytes) {
  std::string text;
  Inflater inflater(bytes);
  do {
    if (const auto problem = inflater.read_member(text)) fail(fmt::format("{}: {}", path.string(), *problem));
  } while (inflater.rest().starts_with(kGzipMagic));
  if (!inflater.rest().empty()) {
    fail(
        fmt::format("{}: {} bytes after the end of the gzip data are not gzip", path.string(), inflater.rest().size()));
  }
  return text;
}

void check_utf8(const fs::path& path, size_t line_number, std::string_view line) {
  const auto offset = find_invalid_utf8(line);
  if (!offset) return;
  const auto byte = static_cast<unsigned char>(line[static_cast<size_t>(*offset)]);
  fail(
      fmt::format("{}:{}: byte {} of the line (0x{:02x}) is not UTF-8", path.string(), line_number, *offset + 1, byte));
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::string bytes = mixtape::read_file(path.string());
  const bool gzip = bytes.starts_with(kGzipMagic);
  if (!gzip && path.extension() == ".gz") {
    fail(fmt::format("{}: {}", path.string(), bytes.empty() ? "the file is empty" : "not a gzip file"));
  }
  return gzip ? gunzip(path, bytes) : bytes;
}

std::optional<std::filesystem::path> find_plain_or_gz(const std::filesystem::path& folder, const std::string& name) {
  const std::filesystem::path plain = folder / name;
  const std::filesystem::path packed = folder / (name + ".gz");
  std::error_code ignored;
  if (std::filesystem::exists(packed, ignored)) return packed;
  if (std::filesystem::exists(plain, ignored)) return plain;
  return std::nullopt;
}

std::filesystem::path require_plain_or_gz(const std::filesystem::path& folder, const std::string& name) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) fail(fmt::format("{}: no such folder", folder.string()));
  const auto path = find_plain_or_gz(folder, name);
  if (!path) fail(fmt::format("{}: neither {}.gz nor {} is in this folder", folder.string(), name, name));
  return *path;
}

std::vector<std::string> read_lines(const fs::path& path) {
  const std::string text = read_file(path);
  if (text.empty()) fail(fmt::format("{}: the file is empty", path.string()));
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);

  std::vector<std::string> lines;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    check_utf8(path, lines.size() + 1, line);
    lines.emplace_back(line);
  }
  return lines;
}

}  // namespace mixtape::data

#include "data/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "autograd/error.h"
#include "data/unicode.h"

namespace mixtape::data {
namespace {

namespace fs = std::filesystem;

constexpr size_t kChunk = size_t{1} << 16;
constexpr std::string_view kGzipMagic = "\x1f\x8b";

[[noreturn]] void fail_system(const fs::path& path, std::string_view action) {
  fail(fmt::format("{}: {}: {}", path.string(), action, std::strerror(errno)));
}

/// An open file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : value_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  int value() const { return value_; }
  /// Whether closing went well, which on some file systems is when a full disk is noticed.
  bool close() {
    const int value = std::exchange(value_, -1);
    return value < 0 || ::close(value) == 0;
  }

 private:
  int value_;
};

std::string read_raw(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  if (file.value() < 0) fail_system(path, "cannot open");
  std::string bytes;
  for (;;) {
    const size_t filled = bytes.size();
    bytes.resize(filled + kChunk);
    const ssize_t count = ::read(file.value(), bytes.data() + filled, kChunk);
    if (count < 0 && errno != EINTR) fail_system(path, "cannot read");
    bytes.resize(filled + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return bytes;
  }
}

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

/// Whether all of it is on the disk; errno says why not.
bool write_all(Descriptor& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.value(), bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return false;
    bytes.remove_prefix(static_cast<size_t>(std::max<ssize_t>(count, 0)));
  }
  return ::fsync(file.value()) == 0 && file.close();
}

/// Flushes the entry of a renamed file in its folder. Some file systems cannot, and then there is nothing to do.
void flush_folder(const fs::path& path) {
  const Descriptor folder(path.has_parent_path() ? path.parent_path() : fs::path("."), O_RDONLY | O_DIRECTORY);
  if (folder.value() >= 0) ::fsync(folder.value());
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::string bytes = read_raw(path);
  const bool gzip = bytes.starts_with(kGzipMagic);
  if (!gzip && path.extension() == ".gz") {
    fail(fmt::format("{}: {}", path.string(), bytes.empty() ? "the file is empty" : "not a gzip file"));
  }
  return gzip ? gunzip(path, bytes) : bytes;
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

void write_file(const fs::path& path, std::string_view bytes) {
  fs::path neighbour = path;
  neighbour += ".tmp";
  Descriptor file(neighbour, O_WRONLY | O_CREAT | O_TRUNC);
  if (file.value() < 0) fail_system(path, "cannot write");
  if (!write_all(file, bytes) || ::rename(neighbour.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(neighbour.c_str());
    errno = reason;
    fail_system(path, "cannot write");
  }
  flush_folder(path);
}

}  // namespace mixtape::data

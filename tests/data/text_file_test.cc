#include "data/text_file.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include "autograd/tensors/error.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using tests::TemporaryFolder;
using Lines = std::vector<std::string>;

namespace {

std::string gzip(std::string_view text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// What read_lines says, without the folder.
std::string message_of(const std::filesystem::path& path) {
  try {
    data::read_lines(path);
  } catch (const Error& error) {
    const std::string text = error.what();
    const std::string folder = path.parent_path().string() + "/";
    return text.starts_with(folder) ? text.substr(folder.size()) : text;
  }
  return "no error";
}

}  // namespace

TEST_CASE("text_file: lines end with LF or CRLF, the last one perhaps not") {
  const TemporaryFolder folder;
  CHECK(data::read_lines(folder.write("a", "eins\nzwei\r\n\n drei\r vier")) ==
        Lines{"eins", "zwei", "", " drei\r vier"});
  CHECK(data::read_lines(folder.write("b", "eins\n")) == Lines{"eins"});
  CHECK(data::read_lines(folder.write("c", "\n\n")) == Lines{"", ""});
  CHECK(data::read_lines(folder.write("d", "\xEF\xBB\xBFmit BOM\n")) == Lines{"mit BOM"});
  CHECK(data::read_lines(folder.write("e", std::string_view("a\0b\n", 4))) == Lines{std::string("a\0b", 3)});
}

TEST_CASE("text_file: gzip is recognised by its content") {
  const TemporaryFolder folder;
  const std::string packed = gzip("eins\nzwei\n");
  CHECK(data::read_lines(folder.write("a.gz", packed)) == Lines{"eins", "zwei"});
  CHECK(data::read_lines(folder.write("a", packed)) == Lines{"eins", "zwei"});
  CHECK(data::read_lines(folder.write("two.gz", packed + gzip("drei"))) == Lines{"eins", "zwei", "drei"});
  const std::string large(1'000'000, 'x');
  CHECK(data::read_file(folder.write("large.gz", gzip(large))) == large);
}

TEST_CASE("text_file: a gzip file that is not whole is refused") {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 300; ++i) text += "Satz " + std::to_string(i * i) + "\n";
  const std::string packed = gzip(text);
  for (size_t size = 2; size < packed.size(); ++size) {
    CAPTURE(size);
    CHECK(message_of(folder.write("a.gz", packed.substr(0, size))) == "a.gz: the gzip data is cut short");
  }
  CHECK(message_of(folder.write("b.gz", packed + "rest")) ==
        "b.gz: 4 bytes after the end of the gzip data are not gzip");
  std::string damaged = packed;
  damaged[packed.size() - 6] ^= 1;
  CHECK(message_of(folder.write("c.gz", damaged)) == "c.gz: the gzip data is damaged (incorrect data check)");
  CHECK(message_of(folder.write("d.gz", "plain text\n")) == "d.gz: not a gzip file");
  CHECK(message_of(folder.write("e.gz", "")) == "e.gz: the file is empty");
  CHECK(message_of(folder.write("f.gz", gzip(""))) == "f.gz: the file is empty");
}

TEST_CASE("text_file: a file that cannot be read is named") {
  const TemporaryFolder folder;
  CHECK(message_of(folder.file("none")).ends_with("/none: No such file or directory"));
  CHECK(message_of(folder.write("empty", "")) == "empty: the file is empty");
  std::filesystem::create_directory(folder.file("sub"));
  CHECK(message_of(folder.file("sub")).ends_with("/sub: Is a directory"));
}

TEST_CASE("text_file: a line that is not UTF-8 is named") {
  const TemporaryFolder folder;
  CHECK(message_of(folder.write("latin", "gut\nM\xE4nner\n")) == "latin:2: byte 2 of the line (0xe4) is not UTF-8");
  CHECK(message_of(folder.write("cut", "gut\n\n\xC3")) == "cut:3: byte 1 of the line (0xc3) is not UTF-8");
}

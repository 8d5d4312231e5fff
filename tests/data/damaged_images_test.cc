// Files that are damaged, or made to do harm: each is refused in one line that names the file and says what is wrong.
#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"
#include "data/cifar10.h"
#include "data/idx.h"
#include "data/image_file.h"
#include "data/image_folder.h"
#include "tests/data/image_bytes.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using namespace std::string_literals;
using tests::TemporaryFolder;

namespace {

struct Damaged {
  std::string bytes;
  std::string expected;  ///< stands in the message
};

/// Checks that `read` throws one line with the name of a file and what is wrong with it.
void check_refused(const std::function<void()>& read, const std::string& file, const std::string& expected) {
  CAPTURE(expected);
  try {
    read();
    FAIL_CHECK("was not refused");
  } catch (const Error& error) {
    const std::string message = error.what();
    CAPTURE(message);
    CHECK(message.find(file) != std::string::npos);
    CHECK(message.find(expected) != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
  }
}

std::string flipped(std::string bytes, size_t offset) {
  bytes.at(offset) = static_cast<char>(~bytes[offset]);
  return bytes;
}

std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  const size_t offset = bytes.find(from);
  REQUIRE(offset != std::string::npos);
  return bytes.replace(offset, from.size(), to);
}

std::string fixture(const std::string& name) { return read_file(MIXTAPE_GOLDEN_DIR "/pillow/" + name); }

/// A segment of a JPEG file, without pixels around it.
std::string jpeg_segment(unsigned char marker, const std::string& data) {
  const size_t length = data.size() + 2;
  return "\xff"s + static_cast<char>(marker) + static_cast<char>(length >> 8) + static_cast<char>(length) + data;
}

/// A JPEG file without its segments of one kind.
std::string without_segments(std::string bytes, unsigned char marker) {
  const std::string start = "\xff"s + static_cast<char>(marker);
  for (size_t at = 0; (at = bytes.find(start)) != std::string::npos;) {
    bytes.erase(at, 2 + 256 * static_cast<unsigned char>(bytes[at + 2]) + static_cast<unsigned char>(bytes[at + 3]));
  }
  return bytes;
}

void check_pictures(const std::string& name, const std::vector<Damaged>& table) {
  const TemporaryFolder folder;
  for (const Damaged& row : table) {
    const std::string path = folder.write(name, row.bytes);
    for (const int64_t channels : {1, 3}) {
      check_refused([&] { data::read_image(path, channels); }, path, row.expected);
    }
  }
}

}  // namespace

TEST_CASE("damaged images: IDX pictures") {
  const TemporaryFolder folder;
  const std::string labels = folder.write("labels", tests::idx({2}, "\0\1"s));
  const std::string good = tests::idx({2, 2, 2}, "abcdefgh");
  const std::vector<Damaged> table = {
      {"", "cut short: 0 bytes, expected an IDX header of 16"},
      {"\0\0"s, "cut short: 2 bytes"},
      {good.substr(0, 15), "cut short: 15 bytes"},
      {good.substr(0, 16), "cut short: the header announces 2 images of 2 x 2 bytes, and 0 bytes follow it"},
      {good.substr(0, 23), "cut short: the header announces 2 images of 2 x 2 bytes, and 7 bytes follow it"},
      {good + "x", "too long: the header announces 2 images of 2 x 2 bytes, and 9 bytes follow it"},
      {good + good, "too long"},
      {tests::idx({2}, "ab"), "magic number 0x00000801, expected 0x00000803"},
      {"\3\x8\0\0"s + good.substr(4), "magic number 0x03080000, expected 0x00000803"},
      {flipped(good, 2), "magic number 0x0000f703, expected 0x00000803"},
      {tests::idx({0, 2, 2}, ""), "0 images of 2 x 2 bytes, expected at least one"},
      {tests::idx({2, 0, 2}, ""), "2 images of 0 x 2 bytes, expected at least one"},
      {tests::idx({2, 2, 0}, "abcdefgh"), "2 images of 2 x 0 bytes, expected at least one"},
      {tests::idx({3, 2, 2}, "abcdefgh"), "cut short: the header announces 3 images"},
      {tests::idx({0xffffffff, 0xffffffff, 0xffffffff}, "abcdefgh"), "cut short: the header announces 4294967295"},
      {tests::idx({0x40000000, 0x80000000, 0x80000000}, ""), "cut short: the header announces 1073741824"},
      {tests::idx({0x10000, 0x10000, 0x10000}, "abcdefgh"), "cut short: the header announces 65536 images"},
  };
  for (const Damaged& row : table) {
    const std::string path = folder.write("images", row.bytes);
    check_refused([&] { data::read_idx(path, labels, {"a", "b"}); }, path, row.expected);
  }
}

TEST_CASE("damaged images: IDX labels, and counts that disagree") {
  const TemporaryFolder folder;
  const std::string images = folder.write("images", tests::idx({2, 1, 1}, "ab"));
  const std::vector<Damaged> table = {
      {"", "cut short: 0 bytes, expected an IDX header of 8"},
      {tests::idx({2, 1, 1}, "ab"), "magic number 0x00000803, expected 0x00000801"},
      {tests::idx({2}, "\1"), "cut short: the header announces 2 labels, and 1 bytes follow it"},
      {tests::idx({2}, "\1\1\1"), "too long: the header announces 2 labels, and 3 bytes follow it"},
      {tests::idx({0xffffffff}, "\1\1"), "cut short: the header announces 4294967295 labels"},
      {tests::idx({0}, ""), "0 labels, expected at least one"},
      {tests::idx({1}, "\1"), "1 labels, expected one for each of the 2 images of "},
      {tests::idx({3}, "\1\1\1"), "3 labels, expected one for each of the 2 images of "},
      {tests::idx({2}, "\1\2"), "label 2 of image 2 (counted from 1) is out of range, expected less than 2"},
      {tests::idx({2}, "\xff\1"), "label 255 of image 1 (counted from 1) is out of range, expected less than 2"},
  };
  for (const Damaged& row : table) {
    const std::string path = folder.write("labels", row.bytes);
    check_refused([&] { data::read_idx(images, path, {"a", "b"}); }, path, row.expected);
  }
}

TEST_CASE("damaged images: IDX that is packed") {
  const TemporaryFolder folder;
  const std::string labels = folder.write("labels", tests::idx({2}, "\0\1"s));
  const std::string packed = tests::gzip(tests::idx({2, 2, 2}, "abcdefgh"));
  const std::vector<Damaged> table = {
      {"", "the file is empty"},
      {tests::idx({2, 2, 2}, "abcdefgh"), "not a gzip file"},
      {packed.substr(0, packed.size() / 2), "the gzip data is cut short"},
      {packed.substr(0, packed.size() - 1), "the gzip data is cut short"},
      {packed + "rest", "4 bytes after the end of the gzip data are not gzip"},
      {flipped(packed, packed.size() - 6), "the gzip data is damaged"},
      {tests::gzip(""), "cut short: 0 bytes"},
      {tests::gzip(tests::idx({2, 2, 2}, "abcdefg")), "cut short: the header announces 2 images"},
      {packed + packed, "too long"},
  };
  for (const Damaged& row : table) {
    const std::string path = folder.write("images.gz", row.bytes);
    check_refused([&] { data::read_idx(path, labels, {"a", "b"}); }, path, row.expected);
  }
}

TEST_CASE("damaged images: CIFAR-10") {
  const TemporaryFolder folder;
  const std::string good = tests::cifar10({1, 2});
  const std::vector<Damaged> table = {
      {"", "the file is empty"},
      {good.substr(0, 1), "1 bytes, expected records of 3073: 1 bytes are left over"},
      {good.substr(0, good.size() - 1), "6145 bytes, expected records of 3073: 3072 bytes are left over"},
      {good + "xy", "6148 bytes, expected records of 3073: 2 bytes are left over"},
      {tests::cifar10({1, 10}), "label 10 of record 2 (counted from 1) is out of range, expected 0 to 9"},
      {tests::cifar10({255}), "label 255 of record 1 (counted from 1) is out of range, expected 0 to 9"},
  };
  for (const Damaged& row : table) {
    for (const auto& [part, name] : {std::pair{"train", "data_batch_1.bin"}, std::pair{"test", "test_batch.bin"}}) {
      const std::string path = folder.write(name, row.bytes);
      check_refused([&] { data::read_cifar10(folder.path(), part); }, path, row.expected);
    }
  }
  const TemporaryFolder empty;
  check_refused([&] { data::read_cifar10(empty.path(), "train"); }, empty.path(), "no data_batch_*.bin");
  check_refused([&] { data::read_cifar10(empty.path(), "test"); }, "test_batch.bin", "No such file");
  check_refused([&] { data::read_cifar10("none", "train"); }, "none", "No such file");
  std::filesystem::create_directory(empty.file("data_batch_1.bin"));
  check_refused([&] { data::read_cifar10(empty.path(), "train"); }, "data_batch_1.bin", "Is a directory");
}

TEST_CASE("damaged images: what is not a picture") {
  check_pictures("x.png", {{"", "the file is empty"},
                           {"hello, I am text\n", "neither PNG nor JPEG"},
                           {"\x89PN", "neither PNG nor JPEG"},
                           {"\xff\xd8", "neither PNG nor JPEG"},
                           {"GIF89a\1\0\1\0"s, "neither PNG nor JPEG"},
                           {std::string(1000, '\0'), "neither PNG nor JPEG"}});
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("x.png"));
  check_refused([&] { data::read_image(folder.file("x.png"), 3); }, folder.file("x.png"), "Is a directory");
  check_refused([&] { data::read_image(folder.file("none.png"), 3); }, folder.file("none.png"), "No such file");
}

TEST_CASE("damaged images: PNG") {
  const std::string good = fixture("rgb.png");
  const std::string signature = good.substr(0, 8), header = good.substr(8, 25), rest = good.substr(33);
  auto of_size = [](uint32_t width, uint32_t height) { return tests::png(width, height, 8, 0, "\0\0"s); };
  auto with = [&](const std::string& chunk) { return signature + header + chunk + rest; };
  check_pictures(
      "x.png",
      {{signature, "cut short within the chunk at byte 8"},
       {good.substr(0, 20), "cut short within the chunk at byte 8"},
       {good.substr(0, 33), "cut short within the chunk at byte 33"},
       {good.substr(0, good.size() / 2), "cut short within the chunk at byte 33"},
       {good.substr(0, good.size() - 12), "cut short within the chunk at byte"},
       {good.substr(0, good.size() - 1), "cut short within the chunk at byte"},
       {flipped(good, 18), "the chunk at byte 8 has checksum"},
       {flipped(good, 100), "the chunk at byte 33 has checksum"},
       {flipped(good, good.size() - 1), "has checksum"},
       {signature + "\xff\xff\xff\xff" + good.substr(12), "cut short within the chunk at byte 8"},
       {signature + rest, "expected a header"},
       {signature + tests::png_chunk("IHDR", "short") + rest, "expected a header"},
       {with(header), "of no known type"},
       {with(tests::png_chunk("ABCD", "")), "the chunk at byte 33 is of no known type"},
       {signature + header + tests::png_chunk("IEND", ""), "take 1152 bytes, and the file holds 0"},
       {signature + header + tests::png_chunk("IDAT", "not zlib's") + rest, "the compressed pixels are not zlib's"},
       {signature + header + tests::png_chunk("IDAT", tests::deflated("few", 15).substr(0, 6)) +
            tests::png_chunk("IEND", ""),
        "take 1152 bytes, and the file holds"},
       {of_size(2, 3), "3 x 2 pixels take 9 bytes, and the file holds 2"},
       {of_size(0, 1), "1 x 0 pixels, expected 1 to 16384 on a side"},
       {of_size(1, 0), "0 x 1 pixels, expected 1 to 16384 on a side"},
       {of_size(16385, 1), "1 x 16385 pixels, expected 1 to 16384 on a side"},
       {of_size(0xffffffff, 0xffffffff), "4294967295 x 4294967295 pixels, expected 1 to 16384 on a side"},
       {of_size(16384, 16384), "16384 x 16384 pixels, expected 1 to 16384 on a side and at most 67108864 in all"},
       {of_size(8192, 8192), "8192 x 8192 pixels take 67117056 bytes, and the file holds 2"},
       {tests::png(1, 1, 8, 0, std::string(10'000'000, '\0')), "take 2 bytes, and the file holds more"},
       {tests::png(1, 1, 8, 1, "\0\0"s), "there is no colour type 1 with 8 bits a channel"},
       {tests::png(1, 1, 8, 9, "\0\0"s), "there is no colour type 9 with 8 bits a channel"},
       {tests::png(1, 1, 32, 0, "\0\0\0\0\0"s), "there is no colour type 0 with 32 bits a channel"},
       {tests::png(1, 1, 7, 0, "\0\0"s), "damaged picture"},
       {tests::png(1, 1, 8, 3, "\0\0"s), "damaged picture: no PLTE"},
       {tests::png(1, 1, 8, 0, "\7\0"s), "damaged picture: invalid filter"}});
  const TemporaryFolder folder;  // what stands behind the last chunk does not matter
  CHECK(data::read_image(folder.write("x.png", good + "trailer"), 3).pixels.size() == 21 * 18 * 3);
}

TEST_CASE("damaged images: JPEG") {
  const std::string good = fixture("rgb.jpg"), start = "\xff\xd8";
  const std::string size = "\0\x12\0\x15"s;  // 18 x 21 in the header
  check_pictures(
      "x.jpg",
      {{start + "\xff", "cut short before the end of the image"},
       {good.substr(0, 30), "cut short within the segment at byte"},
       {good.substr(0, good.size() / 2), "cut short"},
       {good.substr(0, good.size() - 20), "cut short before the end of the image"},
       {good.substr(0, good.size() - 2), "cut short before the end of the image"},
       {good.substr(0, good.size() - 1), "cut short before the end of the image"},
       {start + "\xff\xd9", "it ends without a header"},
       {good.substr(0, good.find("\xff\xda")) + "\xff\xd9", "it ends without pixels"},
       {without_segments(good, 0xc4), "it ends without Huffman tables"},
       {without_segments(good, 0xdb), "it ends without quantization tables"},
       {start + "\xff\xe0\0\1"s + "\xff\xd9", "a segment of 1 bytes at byte 4"},
       {start + "\xff\xe0\xff\xff\xff\xd9", "cut short within the segment at byte 4"},
       {replaced(good, "\xff\xc0"s, "\xff\xc3"s), "a JPEG of kind 3 is not supported, expected 0 to 2"},
       {replaced(good, "\xff\xc0"s, "\xff\xc9"s), "a JPEG of kind 9 is not supported, expected 0 to 2"},
       {replaced(good, size, "\xff\xff\xff\xff"), "65535 x 65535 pixels, expected 1 to 16384 on a side"},
       {replaced(good, size, "\x40\0\x40\0"s), "16384 x 16384 pixels, expected 1 to 16384 on a side and at most"},
       {replaced(good, size, "\0\0\0\x15"s), "0 x 21 pixels, expected 1 to 16384 on a side"},
       {replaced(good, size, "\0\x12\0\0"s), "18 x 0 pixels, expected 1 to 16384 on a side"},
       {start + jpeg_segment(0xc4, "\0"s + std::string(16, '\xff') + std::string(16 * 255, 'x')) + good.substr(2),
        "a Huffman table of 4080 symbols"},
       {start + jpeg_segment(0xc4, "\0"s + std::string(16, '\1')) + good.substr(2), "a Huffman table of 16 symbols"},
       {start + jpeg_segment(0xc4, "\0\1"s) + good.substr(2), "a Huffman table of 1 symbols in 2 bytes"},
       {replaced(good, "\xff\xda\0\xc\3\1"s, "\xff\xda\0\xc\3\7"s),
        "damaged picture: its segments contradict each other"},
       {start + jpeg_segment(0xc0, "\x8") + good.substr(2), "a header of 1 bytes"},
       {replaced(good, "\x8" + size, "\xc" + size), "damaged picture: only 8-bit"}});
  const TemporaryFolder folder;  // cameras put more behind the end
  CHECK(data::read_image(folder.write("x.jpg", good + "trailer"), 3).pixels.size() == 21 * 18 * 3);
}

TEST_CASE("damaged images: any byte of a picture may be wrong") {
  const TemporaryFolder folder;
  for (const char* name : {"rgb.jpg", "progressive.jpg", "restarts.jpg", "interlaced.png", "palette.png"}) {
    const std::string good = fixture(name);
    for (size_t i = 0; i < good.size(); ++i) {
      CAPTURE(i);
      for (const std::string& bytes : {flipped(good, i), good.substr(0, i)}) {
        const std::string path = folder.write(name, bytes);
        try {  // what is coded in a JPEG has no checksum: such a picture may be read
          const data::Image image = data::read_image(path, 3);
          CHECK(static_cast<int64_t>(image.pixels.size()) == image.height * image.width * 3);
          CHECK(bytes.size() == good.size());
        } catch (const Error& error) {
          const std::string message = error.what();
          CHECK(message.find(path) != std::string::npos);
          CHECK(message.find('\n') == std::string::npos);
        }
      }
    }
  }
}

TEST_CASE("damaged images: folders of classes") {
  const TemporaryFolder folder;
  auto read = [&] { data::read_image_folder(folder.path(), 4, 4, 3); };
  check_refused(read, folder.path(), "0 class folders, expected at least 2");
  check_refused([] { data::read_image_folder("none", 4, 4, 3); }, "none", "No such file");
  std::filesystem::create_directory(folder.file("a"));
  folder.write("a/1.png", fixture("rgb.png"));
  check_refused(read, folder.path(), "1 class folders, expected at least 2");
  std::filesystem::create_directory(folder.file("b"));
  check_refused(read, folder.file("b"), "no pictures in this class folder");
  folder.write("b/1.png", "text");
  check_refused(read, folder.file("b/1.png"), "neither PNG nor JPEG");
  folder.write("b/1.png", fixture("rgb.jpg"));  // the content counts, not the name
  CHECK(data::read_image_folder(folder.path(), 4, 4, 3).size() == 2);
  std::filesystem::create_directory(folder.file("b/x.png"));
  check_refused(read, folder.file("b/x.png"), "Is a directory");
}

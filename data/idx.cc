#include "data/idx.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "autograd/tensors/error.h"
#include "data/big_endian.h"
#include "data/text_file.h"

namespace mixtape::data {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kUnsignedBytes = 0x0800;  // the type; the number of dimensions stands in the lowest byte

/// An IDX file of unsigned bytes.
template <size_t kDimensions>
struct Idx {
  std::array<uint64_t, kDimensions> shape;
  std::string bytes;

  static constexpr size_t kHeader = 4 * (1 + kDimensions);
  std::string_view values() const { return std::string_view(bytes).substr(kHeader); }
};

template <size_t kDimensions>
void read_header(const fs::path& path, Idx<kDimensions>& idx) {
  const uint32_t expected = kUnsignedBytes + kDimensions;
  if (idx.bytes.size() >= 4) {
    const uint32_t magic = big_endian(idx.bytes, 0, 4);
    if (magic != expected) {
      fail(fmt::format("{}: magic number 0x{:08x}, expected 0x{:08x} (IDX, unsigned bytes, dimensions: {})",
                       path.string(), magic, expected, kDimensions));
    }
  }
  if (idx.bytes.size() < idx.kHeader) {
    fail(fmt::format("{}: cut short: {} bytes, expected an IDX header of {}", path.string(), idx.bytes.size(),
                     idx.kHeader));
  }
  for (size_t i = 0; i < kDimensions; ++i) idx.shape[i] = big_endian(idx.bytes, 4 * (1 + i), 4);
}

/// Checks that the values are `count` items of `item_bytes`, and at least one. Multiplies nothing: a header can name
/// more bytes than 64 bits can count.
void check_size(const fs::path& path, std::string_view values, uint64_t count, uint64_t item_bytes,
                const std::string& items) {
  if (count == 0 || item_bytes == 0) fail(fmt::format("{}: {}, expected at least one", path.string(), items));
  const uint64_t whole = values.size() / item_bytes;
  if (whole == count && values.size() % item_bytes == 0) return;
  fail(fmt::format("{}: {}: the header announces {}, and {} bytes follow it", path.string(),
                   whole < count ? "cut short" : "too long", items, values.size()));
}

Idx<3> read_images(const fs::path& path) {
  Idx<3> idx{{}, read_file(path)};
  read_header(path, idx);
  const auto [count, height, width] = idx.shape;
  check_size(path, idx.values(), count, height * width,
             fmt::format("{} images of {} x {} bytes", count, height, width));
  return idx;
}

Idx<1> read_labels(const fs::path& path) {
  Idx<1> idx{{}, read_file(path)};
  read_header(path, idx);
  check_size(path, idx.values(), idx.shape[0], 1, fmt::format("{} labels", idx.shape[0]));
  return idx;
}

}  // namespace

ImageSet read_idx(const fs::path& images, const fs::path& labels, std::vector<std::string> classes) {
  const Idx<3> pictures = read_images(images);
  const Idx<1> marks = read_labels(labels);
  if (pictures.shape[0] != marks.shape[0]) {
    fail(fmt::format("{}: {} labels, expected one for each of the {} images of {}", labels.string(), marks.shape[0],
                     pictures.shape[0], images.string()));
  }
  const std::string_view pixels = pictures.values();
  ImageSet set{.height = static_cast<int64_t>(pictures.shape[1]),
               .width = static_cast<int64_t>(pictures.shape[2]),
               .channels = 1,
               .pixels = {pixels.begin(), pixels.end()},
               .labels = {},
               .classes = std::move(classes)};
  set.labels.reserve(marks.values().size());
  for (const char mark : marks.values()) {
    const auto label = static_cast<unsigned char>(mark);
    if (label >= set.classes.size()) {
      fail(fmt::format("{}: label {} of image {} (counted from 1) is out of range, expected less than {}",
                       labels.string(), label, set.labels.size() + 1, set.classes.size()));
    }
    set.labels.push_back(label);
  }
  return set;
}

}  // namespace mixtape::data

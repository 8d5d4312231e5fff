#include "data/cifar10.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

#include "autograd/tensors/error.h"
#include "data/text_file.h"

namespace mixtape::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSide = 32, kChannels = 3;
constexpr size_t kPlane = kSide * kSide;
constexpr size_t kRecord = 1 + kChannels * kPlane;

std::vector<fs::path> files_of(const fs::path& folder, std::string_view part) {
  if (part == "test") return {folder / "test_batch.bin"};
  if (part != "train") fail(fmt::format("CIFAR-10: there is no part '{}', expected train or test", part));
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("data_batch_") && name.ends_with(".bin")) files.push_back(entry->path());
  }
  if (error) fail(fmt::format("cannot list {}: {}", folder.string(), error.message()));
  if (files.empty()) fail(fmt::format("{}: no data_batch_*.bin is in this folder", folder.string()));
  std::ranges::sort(files);
  return files;
}

/// The planes [channel, pixel] of a record as [pixel, channel].
void append_pixels(std::string_view planes, std::vector<uint8_t>& pixels) {
  for (size_t pixel = 0; pixel < kPlane; ++pixel) {
    for (size_t channel = 0; channel < kChannels; ++channel) {
      pixels.push_back(static_cast<uint8_t>(planes[channel * kPlane + pixel]));
    }
  }
}

void append_records(const fs::path& path, ImageSet& set) {
  const std::string bytes = read_file(path);
  if (bytes.empty()) fail(fmt::format("{}: the file is empty", path.string()));
  if (bytes.size() % kRecord != 0) {
    fail(fmt::format("{}: {} bytes, expected records of {}: {} bytes are left over", path.string(), bytes.size(),
                     kRecord, bytes.size() % kRecord));
  }
  set.pixels.reserve(set.pixels.size() + bytes.size());
  for (size_t start = 0; start < bytes.size(); start += kRecord) {
    const std::string_view record = std::string_view(bytes).substr(start, kRecord);
    const auto label = static_cast<unsigned char>(record[0]);
    if (label >= set.classes.size()) {
      fail(fmt::format("{}: label {} of record {} (counted from 1) is out of range, expected 0 to {}", path.string(),
                       label, start / kRecord + 1, set.classes.size() - 1));
    }
    set.labels.push_back(label);
    append_pixels(record.substr(1), set.pixels);
  }
}

}  // namespace

ImageSet read_cifar10(const fs::path& folder, std::string_view part) {
  ImageSet set{.height = kSide,
               .width = kSide,
               .channels = kChannels,
               .pixels = {},
               .labels = {},
               .classes = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}};
  for (const fs::path& path : files_of(folder, part)) append_records(path, set);
  return set;
}

}  // namespace mixtape::data

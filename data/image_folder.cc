#include "data/image_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <system_error>
#include <vector>

#include "autograd/tensors/error.h"
#include "data/image_file.h"

namespace mixtape::data {
namespace {

namespace fs = std::filesystem;

/// What a folder holds, sorted by name, without names that start with a dot.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (!entry->path().filename().string().starts_with('.')) entries.push_back(entry->path());
  }
  if (error) fail(fmt::format("cannot list {}: {}", folder.string(), error.message()));
  std::ranges::sort(entries);
  return entries;
}

}  // namespace

ImageSet read_image_folder(const fs::path& folder, int64_t height, int64_t width, int64_t channels) {
  std::vector<fs::path> class_folders = entries_of(folder);
  std::erase_if(class_folders, [](const fs::path& path) {
    std::error_code ignored;
    return !fs::is_directory(path, ignored);
  });
  if (class_folders.size() < 2) {
    fail(fmt::format("{}: {} class folders, expected at least 2", folder.string(), class_folders.size()));
  }
  ImageSet set{.height = height, .width = width, .channels = channels, .pixels = {}, .labels = {}, .classes = {}};
  for (const fs::path& class_folder : class_folders) {
    const std::vector<fs::path> files = entries_of(class_folder);
    if (files.empty()) fail(fmt::format("{}: no pictures in this class folder", class_folder.string()));
    for (const fs::path& file : files) {
      const Image image = fit(read_image(file, channels), height, width);
      set.pixels.insert(set.pixels.end(), image.pixels.begin(), image.pixels.end());
      set.labels.push_back(static_cast<int32_t>(set.classes.size()));
    }
    set.classes.push_back(class_folder.filename().string());
  }
  return set;
}

}  // namespace mixtape::data

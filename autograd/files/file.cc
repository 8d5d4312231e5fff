#include "autograd/files/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "autograd/tensors/error.h"

namespace mixtape {
namespace {

constexpr std::string_view kTemporarySuffix = ".mixtape-tmp";

[[noreturn]] void fail_with_reason(std::string_view action, const std::string& path, int error_number) {
  fail(fmt::format("cannot {} {}: {}", action, path, std::strerror(error_number)));
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

void sync_folder(const std::string& path) {
  const int folder = open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) fail_with_reason("open the folder of", path, errno);
  const int error_number = fsync(folder) == 0 ? 0 : errno;
  close(folder);
  const bool unsupported = error_number == EINVAL || error_number == ENOTSUP;  // some network and FUSE file systems
  if (error_number != 0 && !unsupported) fail_with_reason("sync the folder of", path, error_number);
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    fail(fmt::format("cannot write {}: it is not a regular file", path));
  }
  const std::filesystem::path target(path);
  const std::string name = fmt::format(".{}.{}{}", target.filename().string(), getpid(), kTemporarySuffix);
  temporary_ = (target.parent_path() / name).string();
  descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_with_reason("write", path, errno);
}

AtomicFile::~AtomicFile() { close_and_remove(); }

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_with_reason("write", path_, errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0) fail_with_reason("write", path_, errno);
  const int closed = close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail_with_reason("write", path_, errno);
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail_with_reason("write", path_, errno);
  temporary_.clear();
  sync_folder(path_);
}

void AtomicFile::close_and_remove() noexcept {
  if (descriptor_ >= 0) close(descriptor_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void write_atomically(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void remove_stale_temporaries(const std::string& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (!at->path().filename().string().ends_with(kTemporarySuffix)) continue;
    if (unlink(at->path().c_str()) != 0) fail_with_reason("remove", at->path().string(), errno);
  }
  if (error) fail(fmt::format("cannot list {}: {}", folder, error.message()));
}

std::string read_file(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_with_reason("read", path, errno);
  std::string bytes;
  std::string block(1 << 16, '\0');
  ssize_t count = 0;
  while ((count = read(descriptor, block.data(), block.size())) != 0) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    bytes.append(block, 0, static_cast<size_t>(count));
  }
  const int error_number = errno;
  close(descriptor);
  if (count < 0) fail_with_reason("read", path, error_number);
  return bytes;
}

}  // namespace mixtape

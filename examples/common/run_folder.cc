#include "examples/common/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"

namespace mixtape::examples {
namespace {

constexpr mode_t kFolderMode = 0777;  // less the umask

/// Without trailing slashes.
std::string tidy(std::string path) {
  if (path.empty()) fail("the run folder has no name");
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

void require_folder(const std::string& path, std::string_view advice) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) fail(fmt::format("run folder {} does not exist{}", path, advice));
    fail(fmt::format("cannot open run folder {}: {}", path, std::strerror(errno)));
  }
  if (!S_ISDIR(status.st_mode)) fail(fmt::format("run folder {} is not a folder", path));
}

}  // namespace

RunFolder RunFolder::create(const std::string& path) {
  expect_none(path);
  RunFolder folder(tidy(path));
  const std::filesystem::path parent = std::filesystem::path(folder.path_).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (!error && mkdir(folder.path_.c_str(), kFolderMode) != 0) error = {errno, std::generic_category()};
  if (error) fail(fmt::format("cannot create run folder {}: {}", folder.path_, error.message()));
  folder.lock();
  return folder;
}

void RunFolder::expect_none(const std::string& path) {
  const std::string name = tidy(path);
  struct stat status = {};
  if (lstat(name.c_str(), &status) != 0) return;
  fail(fmt::format("run folder {} already exists: go on with --resume, or name another folder", name));
}

RunFolder RunFolder::resume(const std::string& path) {
  RunFolder folder(tidy(path));
  require_folder(folder.path_, ": leave out --resume to start a new run");
  folder.lock();
  if (access(folder.path_.c_str(), W_OK | X_OK) != 0) {
    fail(fmt::format("cannot write to run folder {}: {}", folder.path_, std::strerror(errno)));
  }
  remove_stale_temporaries(folder.path_);
  return folder;
}

RunFolder RunFolder::open(const std::string& path) {
  RunFolder folder(tidy(path));
  require_folder(folder.path_, "");
  if (!folder.has_config()) fail(fmt::format("{} is no run folder: it holds no config.json", folder.path_));
  return folder;
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

RunFolder& RunFolder::operator=(RunFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

RunFolder::~RunFolder() {
  if (lock_ >= 0) close(lock_);
}

bool RunFolder::has_config() const { return access(config().c_str(), F_OK) == 0; }

void RunFolder::lock() {
  lock_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) fail(fmt::format("cannot open run folder {}: {}", path_, std::strerror(errno)));
  if (flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK) fail(fmt::format("run folder {} is in use: another process trains in it", path_));
  const bool unsupported = errno == EBADF || errno == ENOLCK || errno == ENOTSUP || errno == EINVAL;
  if (!unsupported) fail(fmt::format("cannot lock run folder {}: {}", path_, std::strerror(errno)));
}

}  // namespace mixtape::examples

#pragma once

#include <string>
#include <string_view>

namespace mixtape {

/// Writes a file that is whole or not there, also after a crash or a power cut: the bytes go to a temporary file in the
/// same folder, `commit` syncs it, renames it over `path` and syncs the folder. Without a commit (an exception, a full
/// disk) the temporary file is removed and a file that stood at `path` is untouched. All errors are mixtape::Error with
/// the path and the system's reason. One writer at a time for each path.
class AtomicFile {
 public:
  /// Opens the temporary file. Throws if the folder is missing or not writable, or if something other than a regular
  /// file stands at `path`.
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends bytes.
  void write(std::string_view bytes);

  /// Puts the file in place. To be called once, after the last write.
  void commit();

 private:
  void close_and_remove() noexcept;

  std::string path_, temporary_;
  int descriptor_ = -1;
};

/// Writes a whole file through AtomicFile.
void write_atomically(const std::string& path, std::string_view bytes);

/// Removes the temporary files that killed processes left in `folder`. Only safe while no other process writes there.
void remove_stale_temporaries(const std::string& folder);

/// The bytes of a whole file. Throws mixtape::Error with the path and the reason.
std::string read_file(const std::string& path);

}  // namespace mixtape

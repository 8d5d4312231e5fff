#pragma once

#include <string>
#include <utility>

#include "examples/common/config.h"

namespace mixtape::examples {

/// The folder of one training run: the paths of its files, and a lock against two processes training in it. The lock is
/// released when the process ends, for any reason. Errors are one-line mixtape::Errors that say what to do.
class RunFolder {
 public:
  /// Creates a folder, with missing parents, and locks it. Throws if `path` exists (even if empty) or cannot be
  /// created.
  static RunFolder create(const std::string& path);

  /// Throws as `create` does if `path` exists. For a check before long preparations.
  static void expect_none(const std::string& path);

  /// Locks a folder to resume in it, and removes files that a killed process left incomplete. Throws if it is missing
  /// or not writable, or if another process trains in it. config.json may be missing, if the first process ended before
  /// writing it.
  static RunFolder resume(const std::string& path);

  /// Opens a finished or running training for reading, without a lock. Throws if the folder or its config.json is
  /// missing.
  static RunFolder open(const std::string& path);

  RunFolder(RunFolder&& other) noexcept;
  RunFolder& operator=(RunFolder&& other) noexcept;
  ~RunFolder();

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  std::string model() const { return file("model.safetensors"); }    ///< the weights to evaluate
  std::string config() const { return file("config.json"); }         ///< the settings, and the sizes of the model
  std::string tokenizer() const { return file("tokenizer.model"); }  ///< SentencePiece model, for text
  std::string checkpoint() const { return file("checkpoint.safetensors"); }  ///< the state for a resume
  std::string metrics() const { return file("metrics.jsonl"); }
  std::string report() const { return file("report.html"); }

  bool has_config() const;

  Config read_config() const { return Config(config()); }
  void write_config(const Json& values) const { write_json(config(), values); }

 private:
  explicit RunFolder(std::string path) : path_(std::move(path)) {}
  void lock();

  std::string path_;
  int lock_ = -1;
};

}  // namespace mixtape::examples

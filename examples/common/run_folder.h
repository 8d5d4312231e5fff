#pragma once

#include <string>
#include <utility>

#include "examples/common/config.h"

namespace mixtape::examples {

/// The folder of one training run: where its files are, and a lock, so that two processes cannot train in it at once.
/// The lock belongs to the process and is gone when that ends, however it ends. Errors are one-line mixtape::Errors
/// that say what to do.
class RunFolder {
 public:
  /// Makes a new folder, and those above it that are missing, and locks it. Throws if `path` exists (also if it is
  /// empty) or cannot be made.
  static RunFolder create(const std::string& path);

  /// Throws as `create` does if `path` exists: to be asked before long preparations.
  static void expect_none(const std::string& path);

  /// Locks a folder to go on in it, and removes what a killed process left half-written. Throws if it is missing or not
  /// writable, or if another process trains in it. It may lack config.json, if the first process ended before writing
  /// it.
  static RunFolder resume(const std::string& path);

  /// A finished or running training, to read: takes no lock. Throws if the folder or its config.json is missing.
  static RunFolder open(const std::string& path);

  RunFolder(RunFolder&& other) noexcept;
  RunFolder& operator=(RunFolder&& other) noexcept;
  ~RunFolder();

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  std::string model() const { return file("model.safetensors"); }    ///< the weights to evaluate
  std::string config() const { return file("config.json"); }         ///< what was asked for, and the model's sizes
  std::string tokenizer() const { return file("tokenizer.model"); }  ///< SentencePiece model, where there is text
  std::string checkpoint() const { return file("checkpoint.safetensors"); }  ///< everything a resume needs
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

#include "autograd/tape/scope.h"

#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace mixtape {
namespace {

thread_local const Path* current = nullptr;

}  // namespace

const Path* path_below(const Path* parent, std::string_view name) {
  static std::mutex mutex;
  static auto& paths = *new std::map<std::pair<const Path*, std::string>, std::unique_ptr<Path>>;
  const std::lock_guard lock(mutex);
  std::unique_ptr<Path>& path = paths[{parent, std::string(name)}];
  if (!path) path = std::make_unique<Path>(Path{parent, std::string(name)});
  return path.get();
}

std::string to_string(const Path* path) {
  if (!path) return "";
  const std::string outer = to_string(path->parent);
  if (outer.empty()) return path->name;
  return path->name.empty() ? outer : outer + "." + path->name;
}

const Path* current_path() { return current; }

Scope::Scope(const Path* path) : outer_(current) { current = path; }
Scope::~Scope() { current = outer_; }

}  // namespace mixtape

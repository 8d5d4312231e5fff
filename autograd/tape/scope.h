#pragma once

#include <string>
#include <string_view>

namespace mixtape {

/// A place in a model: the name of a layer within its parent, and the parent. One object per place, kept for the life
/// of the program, so that a tape line can point at it at no cost. A null pointer is the root, outside any layer.
struct Path {
  const Path* parent;
  std::string name;
};

/// The place of `name` (which may have dots: `layer.0`) below `parent`. The same arguments give the same pointer.
const Path* path_below(const Path* parent, std::string_view name);

/// `encoder.layer.0.attention`; empty for the root.
std::string to_string(const Path* path);

/// The place of the layer that is running on this thread.
const Path* current_path();

/// Makes `path` the current place until it is destroyed. Calling a layer does this.
class Scope {
 public:
  explicit Scope(const Path* path);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  const Path* outer_;
};

}  // namespace mixtape

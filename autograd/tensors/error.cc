#include "autograd/tensors/error.h"

#include "autograd/tape/scope.h"

namespace mixtape {

void fail(const std::string& message) {
  const std::string path = to_string(current_path());
  throw Error(path.empty() ? message : message + " (in " + path + ")");
}

}  // namespace mixtape

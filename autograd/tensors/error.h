#pragma once

#include <stdexcept>
#include <string>

namespace mixtape {

/// What the library throws: one line that says what (the op or function), where, what came and what was expected, as in
/// `matmul: inner sizes differ: [32, 256] x [512, 64] (in encoder.layer.0.attention.query)`.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Error(message), with the path of the layer that is running, if any, appended: ` (in encoder.layer.0)`.
/// Callers format the message themselves: `fail(fmt::format("softmax: axis {} is out of range for {}", axis, shape))`.
[[noreturn]] void fail(const std::string& message);

}  // namespace mixtape

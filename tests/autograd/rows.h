#pragma once

#include <vector>

#include "autograd/tensors/tensor.h"

namespace mixtape::tests {

using Values = std::vector<double>;

/// A row of f64 numbers.
inline Tensor constant(const Values& values) {
  return Tensor::from(values, {static_cast<int64_t>(values.size())}, f64);
}

inline Tensor parameter(const Values& values) { return constant(values).as_parameter(); }

}  // namespace mixtape::tests

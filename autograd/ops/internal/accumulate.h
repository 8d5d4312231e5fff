#pragma once

#include "autograd/tensors/tensor.h"

namespace mixtape {

/// sum += x in memory, unrecorded; shapes and dtypes are equal. How gradients that meet are added up.
void add_in_place(const Tensor& sum, const Tensor& x);

}  // namespace mixtape

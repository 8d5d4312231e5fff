#pragma once

#include "autograd/tensors/random.h"
#include "autograd/tensors/tensor.h"

/// Initial values of parameters.
namespace mixtape::nn {

/// Uniform in +-sqrt(6 / (in + out)) (Glorot & Bengio 2010).   result: [out, in]
Tensor xavier_uniform(int64_t out, int64_t in, Random& random);

/// Normal with mean 0 and the given standard deviation.
Tensor normal_parameter(const Shape& shape, double deviation, Random& random);

Tensor zeros_parameter(const Shape& shape);
Tensor ones_parameter(const Shape& shape);

}  // namespace mixtape::nn

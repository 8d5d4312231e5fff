#include "nn/init.h"

#include <cmath>

namespace mixtape::nn {

Tensor xavier_uniform(int64_t out, int64_t in, Random& random) {
  const double bound = std::sqrt(6.0 / static_cast<double>(in + out));
  return random.uniform({out, in}, -bound, bound).as_parameter();
}

Tensor normal_parameter(const Shape& shape, double deviation, Random& random) {
  return random.normal(shape, 0, deviation).as_parameter();
}
Tensor zeros_parameter(const Shape& shape) { return Tensor::zeros(shape).as_parameter(); }
Tensor ones_parameter(const Shape& shape) { return Tensor::ones(shape).as_parameter(); }

}  // namespace mixtape::nn

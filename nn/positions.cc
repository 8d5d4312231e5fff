#include "nn/positions.h"

#include <cmath>

namespace mixtape::nn {

SinusoidalPositions::SinusoidalPositions(int64_t longest, int64_t width)
    : table_f64_(Tensor::uninitialized({longest, width}, f64)) {
  double* element = table_f64_.mutable_data<double>();
  for (int64_t t = 0; t < longest; ++t) {
    for (int64_t c = 0; c < width; ++c) {
      const double angle =
          static_cast<double>(t) * std::pow(10000.0, -static_cast<double>(c / 2 * 2) / static_cast<double>(width));
      *element++ = c % 2 == 0 ? std::sin(angle) : std::cos(angle);
    }
  }
  table_f32_ = table_f64_.to(f32);
}

Tensor SinusoidalPositions::forward(const Tensor& x, const Tensor& positions) const {
  return x + embedding(positions, x.dtype() == f64 ? table_f64_ : table_f32_);
}

}  // namespace mixtape::nn

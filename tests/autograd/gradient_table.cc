#include "tests/autograd/gradient_table.h"

#include <numeric>

#include "autograd/tensors/random.h"

namespace mixtape::tests {

Tensor normal(const Shape& shape, uint64_t seed) { return Random(seed).normal(shape, 0, 1, f64); }

Tensor positive(const Shape& shape, uint64_t seed) { return Random(seed).uniform(shape, 0.5, 2, f64); }

Tensor off_zero(const Shape& shape, uint64_t seed) {
  const Tensor x = normal(shape, seed);
  double* data = x.mutable_data<double>();
  for (int64_t i = 0; i < x.elements(); ++i) data[i] += data[i] < 0 ? -0.2 : 0.2;
  return x;
}

Tensor spread(const Shape& shape, uint64_t seed) {
  std::vector<double> values(static_cast<size_t>(shape.elements()));
  std::iota(values.begin(), values.end(), -static_cast<double>(values.size()) / 2);
  Random random(seed);
  for (size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[static_cast<size_t>(random.below(static_cast<int64_t>(i)))]);
  for (double& value : values) value *= 0.25;
  return Tensor::from(values, shape, f64);
}

Tensor integers(const std::vector<int32_t>& values, const Shape& shape) { return Tensor::from(values, shape); }

std::vector<GradientRow> op_gradient_rows() {
  std::vector<GradientRow> rows;
  for (const auto& family : {elementwise_rows(), reduction_rows(), product_rows(), fused_rows(), layout_rows(),
                             indexing_rows(), attention_rows(), image_rows()}) {
    rows.insert(rows.end(), family.begin(), family.end());
  }
  return rows;
}

}  // namespace mixtape::tests

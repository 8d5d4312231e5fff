#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "autograd/tape/gradcheck.h"

namespace mixtape::tests {

/// One function whose derivatives are checked: an op in one of its variants, or a layer.
struct GradientRow {
  const char* name;  ///< of the op or layer; after a comma what is special: `matmul, both transposed`
  Differentiable f;
  std::vector<Tensor> inputs;  ///< f64 or i32, away from kinks; parameters of a layer may stand among them
  GradcheckOptions options = {};
};

/// The op or layer that a row is about: its name up to the comma.
inline std::string subject_of(const GradientRow& row) {
  const std::string name = row.name;
  return name.substr(0, name.find(','));
}

/// Checks first and second derivatives of every row.
inline void check_gradients(const std::vector<GradientRow>& rows) {
  for (const GradientRow& row : rows) {
    const GradcheckResult result = gradcheck(row.f, row.inputs, row.options);
    CHECK_MESSAGE(result.passed, std::string(row.name), ": ", result.message);
  }
}

/// Every op of autograd/ops.h, in all its variants.
std::vector<GradientRow> op_gradient_rows();

/// The parts of that table, by family.
std::vector<GradientRow> elementwise_rows();
std::vector<GradientRow> reduction_rows();
std::vector<GradientRow> product_rows();
std::vector<GradientRow> fused_rows();
std::vector<GradientRow> layout_rows();
std::vector<GradientRow> indexing_rows();
std::vector<GradientRow> attention_rows();
std::vector<GradientRow> image_rows();

/// f64 inputs. The same arguments give the same numbers.
Tensor normal(const Shape& shape, uint64_t seed = 1);
/// In [0.5, 2].
Tensor positive(const Shape& shape, uint64_t seed = 2);
/// Of either sign, at least 0.2 from 0.
Tensor off_zero(const Shape& shape, uint64_t seed = 3);
/// No two within 0.25 of each other.
Tensor spread(const Shape& shape, uint64_t seed = 4);
Tensor integers(const std::vector<int32_t>& values, const Shape& shape);

}  // namespace mixtape::tests

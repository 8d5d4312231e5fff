#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/random.h"

namespace mixtape::tests {

/// How closely two ways to compute the same must agree.
constexpr double tolerance(DType dtype) { return dtype == f64 ? 1e-12 : 1e-5; }

/// The largest difference between two tensors, relative to the largest magnitude (at least 1). NaN where both are NaN
/// counts as equal, NaN on one side as infinitely far.
inline double distance(const Tensor& a, const Tensor& b) {
  double largest = 1, difference = 0;
  const std::vector<double> x = a.values(), y = b.values();
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) && std::isnan(y[i])) continue;
    if (std::isnan(x[i]) || std::isnan(y[i])) return INFINITY;
    largest = std::max({largest, std::abs(x[i]), std::abs(y[i])});
    difference = std::max(difference, std::abs(x[i] - y[i]));
  }
  return difference / largest;
}

inline void check_close(const std::vector<Tensor>& got, const std::vector<Tensor>& expected, double tolerance) {
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    REQUIRE(got[i].shape() == expected[i].shape());
    REQUIRE(got[i].dtype() == expected[i].dtype());
    CHECK(distance(got[i], expected[i]) <= tolerance);
  }
}

/// f's value, then its gradients by all inputs that are not i32, for an output gradient that is random but always the
/// same.
template <class F>
std::vector<Tensor> value_and_gradients(const F& f, const std::vector<Tensor>& inputs) {
  Tape tape;
  std::vector<Tensor> free;
  for (const Tensor& x : inputs)
    if (x.dtype() != i32) free.push_back(tape.watch(x));
  const Tensor y = f(inputs);
  std::vector<Tensor> result = tape.gradients(y, free, {.seed = Random(17).normal(y.shape(), 0, 1, y.dtype())});
  result.insert(result.begin(), y.detach());
  return result;
}

}  // namespace mixtape::tests

#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/random.h"
#include "optim/optimizer.h"

namespace mixtape::optim_test {

constexpr int64_t kElements = 11;  // more than two vectors of f32 on most machines, and a tail

/// Element i of the gradient at `step`: between -2 and 2, all different.
inline double gradient_at(int64_t step, int64_t i) {
  return 2 * std::sin(0.7 * static_cast<double>(step) + 1.3 * static_cast<double>(i));
}

inline Tensor gradient(int64_t step, const Tensor& parameter) {
  std::vector<double> values;
  for (int64_t i = 0; i < parameter.elements(); ++i) values.push_back(gradient_at(step, i));
  return Tensor::from(values, parameter.shape(), parameter.dtype());
}

/// 0.5, 0.25, 0, -0.25 ...
inline Tensor make_parameter(DType dtype = f64, int64_t elements = kElements) {
  std::vector<double> values;
  for (int64_t i = 0; i < elements; ++i) values.push_back(0.5 - 0.25 * static_cast<double>(i));
  return Tensor::from(values, {elements}, dtype).as_parameter();
}

/// Sets the gradient of `step` for every parameter, and steps.
inline optim::StepResult step_with_gradients(optim::Optimizer& optimizer, int64_t step) {
  for (const NamedTensor& p : optimizer.parameters()) p.tensor.set_gradient(gradient(step, p.tensor));
  return optimizer.step();
}

/// The update formula of one element: `element(step, gradient, parameter)` updates the parameter. It is copied for each
/// element.
using Element = std::function<void(int64_t step, double gradient, double& parameter)>;

/// Compares ten steps of the optimizer that `make` returns with the formula, a plain loop over doubles.
inline void check_ten_steps(const std::function<std::unique_ptr<optim::Optimizer>(const NamedTensors&)>& make,
                            const std::function<Element()>& formula) {
  for (const DType dtype : {f64, f32}) {
    CAPTURE(name_of(dtype));
    const Tensor parameter = make_parameter(dtype);
    std::vector<double> expected = parameter.values();
    const auto optimizer = make({{"p", parameter}});
    for (int64_t step = 1; step <= 10; ++step) CHECK(step_with_gradients(*optimizer, step).applied);
    for (int64_t i = 0; i < parameter.elements(); ++i) {
      const Element element = formula();
      double& p = expected[static_cast<size_t>(i)];
      for (int64_t step = 1; step <= 10; ++step) element(step, gradient_at(step, i), p);
      CHECK(std::abs(parameter.values()[static_cast<size_t>(i)] - p) <= (dtype == f64 ? 1e-12 : 2e-6));
    }
  }
}

/// Mean squared error of x w + b after `steps` steps on a problem that w and b can solve.
inline double least_squares(const std::function<std::unique_ptr<optim::Optimizer>(const NamedTensors&)>& make,
                            int steps) {
  Random random(3);
  const Tensor x = random.normal({16, 3}, 0, 1, f64);
  const Tensor y = linear(x, Tensor::from({1.0, -2.0, 0.5}, {1, 3}, f64), Tensor::full({1}, 0.25, f64));
  const Tensor w = Tensor::zeros({1, 3}, f64).as_parameter(), b = Tensor::zeros({1}, f64).as_parameter();
  const auto optimizer = make({{"w", w}, {"b", b}});
  double last = 0;
  for (int step = 0; step < steps; ++step) {
    Tape tape;
    const Tensor error = linear(x, w, b) - y;
    const Tensor loss = mean(error * error);
    last = loss.item();
    tape.backward(loss);
    optimizer->step();
  }
  return last;
}

/// Checks that a run that saves and loads its state after `half` of the steps ends with the same bits.
inline void check_resumes(const std::function<std::unique_ptr<optim::Optimizer>(const NamedTensors&)>& make) {
  const Tensor a = make_parameter(f32), b = make_parameter(f32);
  const auto through = make({{"p", a}}), first = make({{"p", b}});
  for (int64_t step = 1; step <= 8; ++step) step_with_gradients(*through, step);
  for (int64_t step = 1; step <= 3; ++step) step_with_gradients(*first, step);
  const NamedTensors saved = clone(first->state());
  const Tensor c = b.clone().as_parameter();
  step_with_gradients(*first, 99);  // must not change what was saved
  const auto second = make({{"p", c}});
  second->load_state(saved);
  for (int64_t step = 4; step <= 8; ++step) step_with_gradients(*second, step);
  CHECK(c.values() == a.values());
  const NamedTensors left = through->state(), right = second->state();
  REQUIRE(left.size() == right.size());
  for (size_t i = 0; i < left.size(); ++i) {
    CHECK(left[i].name == right[i].name);
    CHECK(left[i].tensor.values() == right[i].tensor.values());
  }
}

/// A function that makes optimizers, for the functions above.
template <class T, class Options>
auto maker(const Options& options) {
  return [options](const NamedTensors& parameters) { return std::make_unique<T>(parameters, options); };
}

}  // namespace mixtape::optim_test

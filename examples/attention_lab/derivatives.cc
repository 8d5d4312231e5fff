#include "examples/attention_lab/derivatives.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"

namespace mixtape::attention_lab {
namespace {

constexpr const char* kComputed[] = {"Q", "K", "V", "S", "A", "O", "joined", "Y"};

// The gradients of inputs and results.
Matrices own_gradients(const AttentionLayer& layer) {
  Tape tape;
  Matrices wanted;
  const Tensor loss = run(layer, [&](const std::string& name, const Tensor& value) {
    if (layer.given.contains(name) && name != "G") return wanted[name] = tape.watch(value);
    if (std::find(std::begin(kComputed), std::end(kComputed), name) != std::end(kComputed)) wanted[name] = value;
    return value;
  });
  std::vector<Tensor> keep;
  for (const auto& [name, value] : wanted) keep.push_back(value);
  tape.backward(loss, {.keep = keep});
  Matrices gradients;
  for (const auto& [name, value] : wanted) gradients["d" + name] = tape.gradient(value);
  return gradients;
}

// dL/dX and dL/dmemory by branch: each branch gets its own copy, which is watched.
Matrices branch_gradients(const AttentionLayer& layer) {
  Tape tape;
  Matrices ways;
  const Tensor loss = run(layer, [&](const std::string& name, const Tensor& value) {
    return name.starts_with("X_") ? ways[name] = tape.watch(value.clone()) : value;
  });
  tape.backward(loss);
  Matrices gradients;
  for (const auto& [name, way] : ways) gradients["d" + name] = tape.gradient(way);
  return gradients;
}

// One element changed by `by`.
Tensor moved(const Tensor& x, int64_t element, double by) {
  Tensor copy = x.clone();
  copy.mutable_data<double>()[element] += by;
  return copy;
}

Tensor gradient_of_x(AttentionLayer layer, const Tensor& x) {
  layer.given["X"] = x;
  Tape tape;
  tape.watch(x);
  tape.backward(run(layer, [](const std::string&, const Tensor& value) { return value; }));
  return tape.gradient(x);
}

}  // namespace

Matrices forward(const AttentionLayer& layer) {
  Matrices all;
  run(layer, [&](const std::string& name, const Tensor& value) { return all[name] = value; });
  Matrices result = {{"L", all["L"]}};
  for (const char* name : kComputed) result[name] = all[name];
  return result;
}

Matrices backward(const AttentionLayer& layer) {
  Matrices gradients = own_gradients(layer);
  gradients.merge(branch_gradients(layer));
  return gradients;
}

double numeric_derivative(const AttentionLayer& layer, const std::string& name, int64_t element, double step) {
  const auto loss = [&](double by) {
    return run(layer, [&](const std::string& shown,
                          const Tensor& value) { return shown == name ? moved(value, element, by) : value; })
        .item();
  };
  return (loss(step) - loss(-step)) / (2 * step);
}

Matrices numeric(const AttentionLayer& layer, const Matrices& analytic) {
  Matrices result;
  for (const auto& [name, gradient] : analytic) {
    Tensor measured = Tensor::like(gradient);
    for (int64_t i = 0; i < measured.elements(); ++i)
      measured.mutable_data<double>()[i] = numeric_derivative(layer, name.substr(1), i);
    result[name] = measured;
  }
  return result;
}

ErrorCurve error_curve(const AttentionLayer& layer, const Matrices& analytic) {
  const Tensor& gradient = analytic.at("dWq");
  const std::vector<double> values = gradient.values();
  const auto largest =
      std::max_element(values.begin(), values.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  const int64_t element = largest - values.begin();
  ErrorCurve curve{"dWq", element / gradient.size(1), element % gradient.size(1), {}};
  for (int half_decade = 2; half_decade <= 24; ++half_decade) {
    const double step = std::pow(10, -half_decade / 2.0);
    curve.points.push_back({step, std::abs(numeric_derivative(layer, "Wq", element, step) - *largest)});
  }
  return curve;
}

HessianProduct hessian_product(const AttentionLayer& layer, const Tensor& dx) {
  const double length = std::sqrt(sum(dx * dx).item());
  HessianProduct result;
  result.direction = length > 0 ? dx * (1 / length) : Tensor::ones(dx.shape(), f64);
  const Tensor x = layer.given.at("X");
  {
    Tape tape;
    tape.watch(x);
    const Tensor loss = run(layer, [](const std::string&, const Tensor& value) { return value; });
    const Tensor gradient = tape.gradients(loss, {x}, {.record = true})[0];
    result.product = tape.gradients(sum(gradient * result.direction), {x})[0];
  }
  constexpr double kStep = 1e-5;
  const Tensor above = gradient_of_x(layer, x + result.direction * kStep);
  const Tensor below = gradient_of_x(layer, x - result.direction * kStep);
  result.numeric = (above - below) / (2 * kStep);
  return result;
}

}  // namespace mixtape::attention_lab

#include "autograd/tape/gradcheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"

namespace mixtape {
namespace {

// sum(y * weights) for weights that depend on the seed and the shape only.
Tensor weighted(const Tensor& y, uint64_t seed) {
  Random random(seed);
  return sum(y * random.uniform(y.shape(), 0.5, 1.5, f64));
}

std::vector<Tensor> differentiable(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> result;
  for (const Tensor& x : inputs)
    if (x && is_differentiable(x.dtype())) result.push_back(x);
  return result;
}

// The number that is differentiated: f's output, or the gradients of that contracted with fixed directions.
class Objective {
 public:
  Objective(const Differentiable& f, const std::vector<Tensor>& inputs, bool second, const GradcheckOptions& options)
      : f_(f),
        inputs_(inputs),
        free_(differentiable(inputs)),
        second_(second),
        seed_(options.seed),
        tape_options_{.random = options.random} {}

  double value() const {
    Tape tape(tape_options_);
    return second_ ? directional(tape, false).item() : weighted(f_(inputs_), seed_).item();
  }

  std::vector<Tensor> gradient() const {
    Tape tape(tape_options_);
    watch(tape);
    const Tensor number = second_ ? directional(tape, true) : weighted(f_(inputs_), seed_);
    if (!Tape::tracks(number)) return zeros();  // the output, or its slope, does not depend on the inputs
    return tape.gradients(number, free_);
  }

  const std::vector<Tensor>& free() const { return free_; }

 private:
  void watch(Tape& tape) const {
    for (const Tensor& x : free_) tape.watch(x);
  }

  std::vector<Tensor> zeros() const {
    std::vector<Tensor> result;
    for (const Tensor& x : free_) result.push_back(Tensor::zeros(x.shape(), x.dtype()));
    return result;
  }

  Tensor directional(Tape& tape, bool record) const {
    watch(tape);
    const Tensor y = f_(inputs_);
    const Tensor number = weighted(y + y * y * 0.5, seed_);  // squared, so that dy, too, depends on the inputs
    if (!Tape::tracks(number)) return Tensor::scalar(0, f64);
    const std::vector<Tensor> gradients = tape.gradients(number, free_, {.record = record});
    Tensor total = Tensor::scalar(0, f64);
    for (size_t i = 0; i < gradients.size(); ++i) total = total + weighted(gradients[i], seed_ + 1 + i);
    return total;
  }

  const Differentiable& f_;
  const std::vector<Tensor>& inputs_;
  std::vector<Tensor> free_;
  bool second_;
  uint64_t seed_;
  TapeOptions tape_options_;
};

double numeric_slope(const Objective& objective, const Tensor& x, int64_t element, double h) {
  const double before = x.data<double>()[element];
  const auto at = [&](double shift) {
    x.mutable_data<double>()[element] = before + shift;
    return objective.value();
  };
  const double near = at(h) - at(-h), far = at(2 * h) - at(-2 * h);
  x.mutable_data<double>()[element] = before;
  return (8 * near - far) / (12 * h);
}

void compare(const Objective& objective, const char* order, const GradcheckOptions& options, GradcheckResult& result) {
  const std::vector<Tensor> analytic = objective.gradient();
  for (size_t i = 0; i < analytic.size(); ++i) {
    const Tensor& x = objective.free()[i];
    for (int64_t k = 0; k < x.elements(); ++k) {
      const double a = analytic[i].data<double>()[k];
      const double n = numeric_slope(objective, x, k, options.step);
      const double error = std::abs(a - n) / std::max({1.0, std::abs(a), std::abs(n)});
      if (error <= result.worst) continue;
      if (!(error <= options.tolerance) && result.passed) {
        result.passed = false;
        result.message = fmt::format(
            "{} derivative by element {} of input {} {}: analytic {:.12g}, numeric {:.12g}, relative difference {:.3g}",
            order, k, i, to_string(x.shape()), a, n, error);
      }
      result.worst = error;
    }
  }
}

}  // namespace

GradcheckResult gradcheck(const Differentiable& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
  for (const Tensor& x : inputs) {
    if (x && x.dtype() != f64 && x.dtype() != i32)
      fail(fmt::format("gradcheck: an input of {}, expected f64", name_of(x.dtype())));
  }
  GradcheckResult result;
  compare(Objective(f, inputs, false, options), "first", options, result);
  if (result.passed && options.second_order) compare(Objective(f, inputs, true, options), "second", options, result);
  return result;
}

}  // namespace mixtape

#include "optim/adamw.h"

#include "autograd/tensors/error.h"
#include "optim/adam.h"
#include "tests/optim/support.h"

using namespace mixtape;
using namespace mixtape::optim_test;
using optim::AdamW;
using optim::AdamWOptions;

namespace {

const std::vector<AdamWOptions> kAdamWs = {
    {},
    {.learning_rate = 0.02, .betas = {0.9, 0.98}, .epsilon = 1e-3, .weight_decay = 0.5},
};

Element formula(const AdamWOptions& o) {
  return [o, m = 0.0, v = 0.0](int64_t step, double g, double& p) mutable {
    const auto t = static_cast<double>(step);
    p -= o.learning_rate * o.weight_decay * p;
    m = o.betas[0] * m + (1 - o.betas[0]) * g;
    v = o.betas[1] * v + (1 - o.betas[1]) * g * g;
    const double m_hat = m / (1 - std::pow(o.betas[0], t)), v_hat = v / (1 - std::pow(o.betas[1], t));
    p -= o.learning_rate * m_hat / (std::sqrt(v_hat) + o.epsilon);
  };
}

}  // namespace

TEST_CASE("adamw: ten steps follow the formula") {
  for (const AdamWOptions& options : kAdamWs) {
    CAPTURE(options.weight_decay);
    check_ten_steps(maker<AdamW>(options), [&] { return formula(options); });
  }
}

TEST_CASE("adamw: the decay does not enter the moments") {
  const Tensor p = make_parameter();
  AdamW adamw({{"p", p}}, {.learning_rate = 0.1, .weight_decay = 0.5});
  const std::vector<double> before = p.values();
  p.set_gradient(Tensor::zeros(p.shape(), f64));
  adamw.step();
  for (size_t i = 0; i < before.size(); ++i) CHECK(p.values()[i] == doctest::Approx(0.95 * before[i]));
  for (double m : find(adamw.state(), "adamw.m.p").values()) CHECK(m == 0);
}

TEST_CASE("adamw: without decay it is Adam") {
  const Tensor a = make_parameter(), b = make_parameter();
  AdamW adamw({{"p", a}}, {.weight_decay = 0});
  optim::Adam adam({{"p", b}});
  for (int64_t step = 1; step <= 5; ++step) {
    step_with_gradients(adamw, step);
    step_with_gradients(adam, step);
  }
  CHECK(a.values() == b.values());
}

TEST_CASE("adamw: resumes bit for bit") {
  for (const AdamWOptions& options : kAdamWs) check_resumes(maker<AdamW>(options));
}

TEST_CASE("adamw: solves least squares, but not with decay") {
  CHECK(least_squares(maker<AdamW>(AdamWOptions{.learning_rate = 0.05, .weight_decay = 0}), 600) < 1e-8);
  CHECK(least_squares(maker<AdamW>(AdamWOptions{.learning_rate = 0.05, .weight_decay = 0.2}), 600) > 1e-4);
}

TEST_CASE("adamw: options out of range throw") {
  const NamedTensors p = {{"p", make_parameter()}};
  CHECK_THROWS_WITH_AS(AdamW(p, {.weight_decay = -0.1}), "adamw: weight_decay is -0.1, expected a number of at least 0",
                       Error);
  CHECK_THROWS_WITH_AS(AdamW(p, {.betas = {-1, 0.9}}), "adamw: a beta is -1, expected 0 <= beta < 1", Error);
}

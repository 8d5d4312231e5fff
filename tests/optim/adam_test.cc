#include "optim/adam.h"

#include "autograd/tensors/error.h"
#include "tests/optim/support.h"

using namespace mixtape;
using namespace mixtape::optim_test;
using optim::Adam;
using optim::AdamOptions;

namespace {

const std::vector<AdamOptions> kAdams = {
    {},
    {.learning_rate = 0.02, .betas = {0.9, 0.98}, .epsilon = 1e-3},
    {.learning_rate = 0.02, .betas = {0.5, 0.7}, .weight_decay = 0.3},
};

Element formula(const AdamOptions& o) {
  return [o, m = 0.0, v = 0.0](int64_t step, double g, double& p) mutable {
    const auto t = static_cast<double>(step);
    g += o.weight_decay * p;
    m = o.betas[0] * m + (1 - o.betas[0]) * g;
    v = o.betas[1] * v + (1 - o.betas[1]) * g * g;
    const double m_hat = m / (1 - std::pow(o.betas[0], t)), v_hat = v / (1 - std::pow(o.betas[1], t));
    p -= o.learning_rate * m_hat / (std::sqrt(v_hat) + o.epsilon);
  };
}

}  // namespace

TEST_CASE("adam: ten steps follow the formula") {
  for (const AdamOptions& options : kAdams) {
    CAPTURE(options.weight_decay);
    CAPTURE(options.epsilon);
    check_ten_steps(maker<Adam>(options), [&] { return formula(options); });
  }
}

TEST_CASE("adam: the first step has the size of the learning rate") {
  const Tensor p = Tensor::zeros({3}, f64).as_parameter();
  Adam adam({{"p", p}}, {.learning_rate = 0.25, .epsilon = 0});
  p.set_gradient(Tensor::from({1e-3, -7.0, 1e3}, {3}, f64));
  adam.step();
  CHECK(p.values()[0] == doctest::Approx(-0.25).epsilon(1e-12));
  CHECK(p.values()[1] == doctest::Approx(0.25).epsilon(1e-12));
  CHECK(p.values()[2] == doctest::Approx(-0.25).epsilon(1e-12));
}

TEST_CASE("adam: resumes bit for bit") {
  for (const AdamOptions& options : kAdams) check_resumes(maker<Adam>(options));
}

TEST_CASE("adam: solves least squares") {
  CHECK(least_squares(maker<Adam>(AdamOptions{.learning_rate = 0.05}), 1) > 1);
  CHECK(least_squares(maker<Adam>(AdamOptions{.learning_rate = 0.05, .betas = {0.9, 0.98}}), 600) < 1e-6);
}

TEST_CASE("adam: options out of range throw") {
  const NamedTensors p = {{"p", make_parameter()}};
  CHECK_THROWS_WITH_AS(Adam(p, {.betas = {0.9, 1}}), "adam: a beta is 1, expected 0 <= beta < 1", Error);
  CHECK_THROWS_WITH_AS(Adam(p, {.epsilon = -1}), "adam: epsilon is -1, expected a number of at least 0", Error);
}

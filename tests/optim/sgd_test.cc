#include "optim/sgd.h"

#include "autograd/tensors/error.h"
#include "tests/optim/support.h"

using namespace mixtape;
using namespace mixtape::optim_test;
using optim::Sgd;
using optim::SgdOptions;

namespace {

const std::vector<SgdOptions> kKinds = {
    {.learning_rate = 0.1},
    {.learning_rate = 0.1, .weight_decay = 0.2},
    {.learning_rate = 0.1, .momentum = 0.9},
    {.learning_rate = 0.1, .momentum = 0.8, .dampening = 0.3, .weight_decay = 0.1},
    {.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true},
};

Element formula(const SgdOptions& o) {
  return [o, v = 0.0](int64_t step, double g, double& p) mutable {
    g += o.weight_decay * p;
    v = step == 1 ? g : o.momentum * v + (1 - o.dampening) * g;
    p -= o.learning_rate * (o.momentum == 0 ? g : o.nesterov ? g + o.momentum * v : v);
  };
}

}  // namespace

TEST_CASE("sgd: ten steps follow the formula") {
  for (const SgdOptions& options : kKinds) {
    CAPTURE(options.momentum);
    CAPTURE(options.weight_decay);
    check_ten_steps(maker<Sgd>(options), [&] { return formula(options); });
  }
}

TEST_CASE("sgd: one step by hand") {
  const Tensor p = Tensor::from({1.0, -1.0}, {2}, f64).as_parameter();
  Sgd sgd({{"p", p}}, {.learning_rate = 0.5, .momentum = 0.5, .dampening = 0.5});
  p.set_gradient(Tensor::from({2.0, 4.0}, {2}, f64));
  sgd.step();
  CHECK(p.values() == std::vector<double>{0, -3});  // the first velocity is the gradient: no dampening
  p.set_gradient(Tensor::from({2.0, 4.0}, {2}, f64));
  sgd.step();
  CHECK(p.values() == std::vector<double>{-1, -5});  // 0.5 [2, 4] + 0.5 [2, 4]
}

TEST_CASE("sgd: resumes bit for bit") {
  for (const SgdOptions& options : kKinds) check_resumes(maker<Sgd>(options));
}

TEST_CASE("sgd: solves least squares") {
  CHECK(least_squares(maker<Sgd>(SgdOptions{.learning_rate = 0.1}), 1) > 1);
  CHECK(least_squares(maker<Sgd>(SgdOptions{.learning_rate = 0.1}), 300) < 1e-8);
  CHECK(least_squares(maker<Sgd>(SgdOptions{.learning_rate = 0.05, .momentum = 0.8, .nesterov = true}), 300) < 1e-8);
}

TEST_CASE("sgd: has a velocity only with momentum") {
  const Tensor p = make_parameter();
  CHECK_FALSE(find(Sgd({{"p", p}}).state(), "sgd.velocity.p"));
  CHECK(find(Sgd({{"p", p}}, {.momentum = 0.5}).state(), "sgd.velocity.p").shape() == p.shape());
}

TEST_CASE("sgd: options out of range throw") {
  const NamedTensors p = {{"p", make_parameter()}};
  CHECK_THROWS_WITH_AS(Sgd(p, {.momentum = 1}), "sgd: momentum is 1, expected 0 <= momentum < 1", Error);
  CHECK_THROWS_WITH_AS(Sgd(p, {.momentum = 0.5, .dampening = -1}), "sgd: dampening is -1, expected 0 <= dampening <= 1",
                       Error);
  CHECK_THROWS_WITH_AS(Sgd(p, {.nesterov = true}),
                       "sgd: nesterov with momentum 0 and dampening 0, expected momentum above 0 and dampening 0",
                       Error);
  CHECK_THROWS_AS(Sgd(p, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}), Error);
}

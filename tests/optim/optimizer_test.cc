#include "optim/optimizer.h"

#include <limits>

#include "autograd/tensors/error.h"
#include "optim/optim.h"
#include "tests/optim/support.h"

using namespace mixtape;
using namespace mixtape::optim_test;

namespace {

// A minimal optimizer: sign descent.
class SignDescent : public optim::Optimizer {
 public:
  explicit SignDescent(const NamedTensors& parameters, double learning_rate, double weight_decay = 0,
                       const optim::Groups& groups = {})
      : Optimizer(parameters, {"sign", {"seen"}, learning_rate, weight_decay, groups}) {}

 protected:
  void update(const optim::ParameterUpdate& u) override {
    auto* p = u.parameter.mutable_data<double>();
    for (int64_t i = 0; i < u.parameter.elements(); ++i) {
      p[i] -= u.learning_rate * (std::copysign(1.0, u.gradient.data<double>()[i]) + u.weight_decay * p[i]);
    }
    u.state[0].fill(static_cast<double>(u.step));
  }
};

Tensor one(double value = 1) { return Tensor::full({1}, value, f64).as_parameter(); }
void give(const Tensor& parameter, double value = 1) { parameter.set_gradient(Tensor::full({1}, value, f64)); }

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("optimizer: the loop of the documentation") {
  const Tensor w = Tensor::full({3}, 2, f64).as_parameter();
  optim::Adam optimizer({{"w", w}}, {.learning_rate = 1e-3, .betas = {0.9, 0.98}});
  Tape tape;
  tape.backward(sum(w * w));
  optim::clip_grad_norm(optimizer, 1.0);
  CHECK(optimizer.step().applied);
  CHECK_FALSE(w.gradient());
  CHECK(w.values()[0] == doctest::Approx(1.999));
}

TEST_CASE("optimizer: a subclass is one update") {
  const Tensor p = one();
  SignDescent sign({{"p", p}}, 0.25);
  give(p, -7);
  CHECK(sign.step().gradient_norm == 7);
  CHECK(p.item() == 1.25);
  CHECK(find(sign.state(), "sign.seen.p").item() == 1);
  CHECK(find(sign.state(), "sign.step.p").item() == 1);
}

TEST_CASE("optimizer: the learning rate can be set between steps") {
  const Tensor p = one();
  SignDescent sign({{"p", p}}, 0.25);
  sign.set_learning_rate(0.5);
  CHECK(sign.learning_rate() == 0.5);
  give(p);
  sign.step();
  CHECK(p.item() == 0.5);
  CHECK_THROWS_WITH_AS(sign.set_learning_rate(-1), "sign: learning_rate is -1, expected a number of at least 0", Error);
  CHECK_THROWS_AS(sign.set_learning_rate(kNan), Error);
}

TEST_CASE("optimizer: the first group that matches a name applies") {
  const Tensor weight = one(), bias = one(), norm = one();
  SignDescent sign({{"layer.weight", weight}, {"layer.bias", bias}, {"norm.bias", norm}}, 0.5, 0.25,
                   {{"*norm*", {.weight_decay = 0, .learning_rate_scale = 2}}, {"*.bias", {.weight_decay = 1}}});
  for (const Tensor& p : {weight, bias, norm}) give(p);
  sign.step();
  CHECK(weight.item() == 1 - 0.5 * 1.25);
  CHECK(bias.item() == 1 - 0.5 * 2);
  CHECK(norm.item() == 1 - 0.5 * 2 * 1);
}

TEST_CASE("optimizer: groups of Adam, and AdamW's default decay") {
  const Tensor weight = one(), bias = one();
  optim::AdamW adamw({{"a.weight", weight}, {"a.bias", bias}},
                     {.learning_rate = 0.5, .weight_decay = 0.5, .groups = {{"*.bias", {.weight_decay = 0}}}});
  give(weight, 0);
  give(bias, 0);
  adamw.step();
  CHECK(weight.item() == 0.75);
  CHECK(bias.item() == 1);
}

TEST_CASE("optimizer: a group that matches nothing, or is out of range, throws") {
  const NamedTensors p = {{"p", one()}};
  CHECK_THROWS_WITH_AS(SignDescent(p, 1, 0, {{"*.bias", {}}}), "sign: the group *.bias fits no parameter", Error);
  CHECK_THROWS_WITH_AS(SignDescent(p, 1, 0, {{"*", {.weight_decay = -1}}}),
                       "sign: weight_decay of * is -1, expected a number of at least 0", Error);
  CHECK_THROWS_WITH_AS(SignDescent(p, 1, 0, {{"*", {.learning_rate_scale = -1}}}),
                       "sign: learning_rate_scale of * is -1, expected a number of at least 0", Error);
}

TEST_CASE("optimizer: a tied tensor is stepped once, and a group may name it either way") {
  const Tensor tied = one();
  SignDescent sign({{"source.table", tied}, {"target.table", tied}}, 0.25, 0,
                   {{"target.*", {.learning_rate_scale = 2}}});
  CHECK(sign.parameters().size() == 1);
  CHECK(sign.parameters()[0].name == "source.table");
  give(tied);
  CHECK(sign.step().gradient_norm == 1);
  CHECK(tied.item() == 0.5);
}

TEST_CASE("optimizer: frozen parameters and those without a gradient do not change, nor do their step counts") {
  const Tensor a = one(), frozen = one(), idle = one();
  SignDescent sign({{"a", a}, {"frozen", frozen}, {"idle", idle}}, 0.25, 0.5);
  give(a);
  give(frozen);
  frozen.set_trainable(false);
  CHECK(sign.step().gradient_norm == 1);
  CHECK(a.item() == 0.625);
  CHECK(frozen.item() == 1);
  CHECK_FALSE(frozen.gradient());
  CHECK(idle.item() == 1);
  CHECK(find(sign.state(), "sign.step.idle").item() == 0);
  frozen.set_trainable(true);
  give(frozen);
  sign.step();
  CHECK(frozen.item() == 0.625);
  CHECK(find(sign.state(), "sign.step.frozen").item() == 1);
}

TEST_CASE("optimizer: a step raises the version of the tensors it writes, and no others") {
  const Tensor p = one(), idle = one();
  optim::Sgd sgd({{"p", p}, {"idle", idle}});
  const uint32_t before = p.body().storage->version, idle_before = idle.body().storage->version;
  give(p);
  sgd.step();
  CHECK(p.body().storage->version > before);
  CHECK(idle.body().storage->version == idle_before);
}

TEST_CASE("optimizer: a tape that is open across a step throws") {
  const Tensor p = one();
  optim::Adam adam({{"p", p}});
  Tape tape;
  const Tensor loss = sum(p * p);
  give(p);
  adam.step();
  CHECK_THROWS_AS(tape.backward(loss), Error);
}

TEST_CASE("optimizer: backward passes before a step accumulate") {
  const Tensor p = one(3), q = one(3);
  optim::Sgd twice({{"p", p}}, {.learning_rate = 0.125}), once({{"q", q}}, {.learning_rate = 0.25});
  for (int pass = 0; pass < 2; ++pass) {
    Tape tape;
    tape.backward(sum(p * p));
  }
  twice.step();
  {
    Tape tape;
    tape.backward(sum(q * q));
  }
  once.step();
  CHECK(p.item() == q.item());
  CHECK(p.item() == 3 - 0.25 * 6);
}

TEST_CASE("optimizer: scale_gradients scales the step") {
  const Tensor p = one(0);
  optim::Sgd sgd({{"p", p}}, {.learning_rate = 1});
  give(p, 8);
  sgd.scale_gradients(0.25);
  sgd.scale_gradients(0.5);
  CHECK(sgd.gradient_norm() == 1);
  CHECK(sgd.step().gradient_norm == 8);
  CHECK(p.item() == -1);
}

TEST_CASE("optimizer: zero_grad clears gradients") {
  const Tensor p = one();
  SignDescent sign({{"p", p}}, 1);
  give(p);
  sign.scale_gradients(0.5);
  sign.zero_grad();
  CHECK_FALSE(p.gradient());
  CHECK(sign.step().gradient_norm == 0);
  CHECK(p.item() == 1);
}

TEST_CASE("optimizer: gradients that are not finite skip the step") {
  for (const double bad : {kNan, kInfinity, -kInfinity}) {
    for (const bool clipped : {false, true}) {
      const Tensor a = one(), b = one(), c = one();
      optim::Adam adam({{"a", a}, {"layer.0.b", b}, {"layer.0.c", c}});
      for (const Tensor& p : {a, b, c}) give(p);
      adam.step();
      const NamedTensors before = clone(adam.state());
      const double value = a.item();
      give(a);
      give(b, bad);
      give(c, bad);
      if (clipped) CHECK_FALSE(std::isfinite(optim::clip_grad_norm(adam, 1)));
      const optim::StepResult result = adam.step();
      CHECK_FALSE(result.applied);
      CHECK_FALSE(std::isfinite(result.gradient_norm));
      CHECK(result.not_finite == "layer.0.b");
      for (const Tensor& p : {a, b, c}) {
        CHECK_FALSE(p.gradient());
        CHECK(p.item() == value);
      }
      for (const NamedTensor& x : adam.state()) {
        CHECK(x.tensor.values() == (x.name == "adam.skipped" ? std::vector<double>{1} : find(before, x.name).values()));
      }
      give(a);
      CHECK(adam.step().applied);
      CHECK(find(adam.state(), "adam.skipped").item() == 0);
    }
  }
}

TEST_CASE("optimizer: gradients whose squares overflow do not reach the moments, unless they are clipped") {
  const Tensor p = make_parameter(f32);
  const std::vector<double> before = p.values();
  optim::Adam adam({{"p", p}}, {.learning_rate = 0.5});
  p.set_gradient(Tensor::full(p.shape(), 1e30));
  CHECK(adam.step().not_finite == "p");
  CHECK(p.values() == before);
  p.set_gradient(Tensor::full(p.shape(), 1e30));
  CHECK(optim::clip_grad_norm(adam, 1) == doctest::Approx(std::sqrt(kElements) * 1e30));
  CHECK(adam.step().applied);
  for (size_t i = 0; i < before.size(); ++i) CHECK(p.values()[i] == doctest::Approx(before[i] - 0.5));
}

TEST_CASE("optimizer: throws after ten steps in a row that were not finite, across a resume too") {
  const Tensor p = one();
  const NamedTensors parameters = {{"encoder.layer.0.weight", p}};
  optim::Sgd first(parameters), second(parameters);
  for (int step = 0; step < 9; ++step) {
    give(p, kNan);
    CHECK_FALSE(first.step().applied);
  }
  second.load_state(first.state());
  const char* message = "optimizer: gradients were not finite in 10 steps in a row; first in encoder.layer.0.weight";
  for (optim::Sgd* sgd : {&first, &second}) {
    give(p, kNan);
    CHECK_THROWS_WITH_AS(sgd->step(), message, Error);
    CHECK_FALSE(p.gradient());
  }
  give(p);
  CHECK(first.step().applied);
  give(p, kNan);
  CHECK_FALSE(first.step().applied);
}

TEST_CASE("optimizer: invalid parameters throw") {
  const Tensor p = one();
  CHECK_THROWS_WITH_AS(optim::Sgd({}), "sgd: there are no parameters", Error);
  CHECK_THROWS_WITH_AS(optim::Sgd({{"x", Tensor::zeros({2})}}), "sgd: x is not a parameter", Error);
  CHECK_THROWS_WITH_AS(optim::Sgd({{"p", p}, {"p", one()}}), "sgd: there are two parameters p", Error);
  optim::Adam adam({{"p", p}});
  p.assign(Tensor::zeros({1}, f32));
  p.set_gradient(Tensor::zeros({1}));
  CHECK_THROWS_WITH_AS(
      adam.step(),
      "adam: p was f64 [1] when the optimizer was made and is now f32 [1]; make the optimizer after converting", Error);
}

TEST_CASE("optimizer: a state of other parameters throws, and changes nothing") {
  const Tensor p = one();
  optim::Adam adam({{"p", p}}), other({{"q", one()}});
  give(p);
  adam.step();
  const NamedTensors before = clone(adam.state());
  CHECK_THROWS_WITH_AS(adam.load_state(other.state()), doctest::Contains("adam state: does not fit: missing adam.m.p"),
                       Error);
  for (const NamedTensor& x : adam.state()) CHECK(x.tensor.values() == find(before, x.name).values());
}

#include "optim/clip.h"

#include <limits>

#include "autograd/tensors/error.h"
#include "autograd/tensors/threads.h"
#include "optim/adam.h"
#include "optim/sgd.h"
#include "tests/optim/support.h"

using namespace mixtape;
using namespace mixtape::optim_test;
using optim::clip_grad_norm;
using optim::Sgd;

namespace {

struct Problem {
  Tensor a = Tensor::zeros({2}, f64).as_parameter();
  Tensor b = Tensor::zeros({1}, f64).as_parameter();
  Sgd sgd{{{"a", a}, {"b", b}}, {.learning_rate = 1}};

  void set_gradients() {  // a norm of 13
    a.set_gradient(Tensor::from({3.0, 4.0}, {2}, f64));
    b.set_gradient(Tensor::from({12.0}, {1}, f64));
  }
};

}  // namespace

TEST_CASE("clip: scales by max_norm / (norm + 1e-6), and returns the norm before") {
  Problem p;
  p.set_gradients();
  CHECK(clip_grad_norm(p.sgd, 6.5) == 13);
  CHECK(p.a.gradient().values() == std::vector<double>{3, 4});  // scaled in the step only
  CHECK(p.sgd.step().gradient_norm == 13);
  const double scale = 6.5 / (13 + 1e-6);
  CHECK(p.a.values() == std::vector<double>{-3 * scale, -4 * scale});
  CHECK(p.b.values() == std::vector<double>{-12 * scale});
}

TEST_CASE("clip: does not change gradients of a small norm, nor the next step") {
  Problem p;
  for (const double max_norm : {13.1, std::numeric_limits<double>::infinity()}) {
    p.set_gradients();
    CHECK(clip_grad_norm(p.sgd, max_norm) == 13);
    p.sgd.step();
  }
  p.set_gradients();
  clip_grad_norm(p.sgd, 1e-3);
  p.sgd.step();
  const std::vector<double> before = p.a.values();
  p.set_gradients();
  p.sgd.step();
  CHECK(p.a.values()[0] == doctest::Approx(before[0] - 3));
}

TEST_CASE("clip: without gradients the norm is 0") {
  Problem p;
  CHECK(clip_grad_norm(p.sgd, 1) == 0);
  CHECK(p.sgd.step().gradient_norm == 0);
  p.set_gradients();
  p.sgd.step();
  CHECK(clip_grad_norm(p.sgd, 1) == 0);
}

TEST_CASE("clip: a second clip sees the result of the first") {
  Problem p;
  p.set_gradients();
  p.sgd.scale_gradients(0.5);
  CHECK(clip_grad_norm(p.sgd, 1) == 6.5);
  CHECK(clip_grad_norm(p.sgd, 10) == doctest::Approx(1));
  p.sgd.step();
  CHECK(p.b.item() == doctest::Approx(-12.0 / 13));
}

TEST_CASE("clip: gradients that change after clipping throw") {
  Problem p;
  const char* message =
      "sgd: the gradients changed after they were clipped or scaled; do that after the last backward, and drop "
      "gradients with the optimizer's zero_grad";
  p.set_gradients();
  clip_grad_norm(p.sgd, 1);
  p.set_gradients();
  CHECK_THROWS_WITH_AS(p.sgd.step(), message, Error);
  CHECK(p.a.values() == std::vector<double>{0, 0});
  p.sgd.zero_grad();
  p.set_gradients();
  clip_grad_norm(p.sgd, 1);
  *p.a.gradient().mutable_data<double>() = 5;
  CHECK_THROWS_WITH_AS(clip_grad_norm(p.sgd, 1), message, Error);
  p.sgd.zero_grad();
  p.set_gradients();
  CHECK(p.sgd.gradient_norm() == 13);  // reading is fine
  *p.b.gradient().mutable_data<double>() = 0;
  CHECK(clip_grad_norm(p.sgd, 100) == 5);
}

TEST_CASE("clip: a backward after clipping throws") {
  const Tensor w = Tensor::full({3}, 2, f64).as_parameter();
  Sgd sgd({{"w", w}}, {.learning_rate = 1});
  const auto backward = [&] {
    Tape tape;
    tape.backward(sum(w * w));
  };
  backward();
  clip_grad_norm(sgd, 1);
  backward();
  CHECK_THROWS_AS(sgd.step(), Error);
}

TEST_CASE("clip: a max_norm of 0 or less throws") {
  Problem p;
  CHECK_THROWS_WITH_AS(clip_grad_norm(p.sgd, 0), "clip_grad_norm: max_norm is 0, expected more than 0", Error);
  CHECK_THROWS_AS(clip_grad_norm(p.sgd, std::nan("")), Error);
  CHECK_THROWS_AS(p.sgd.scale_gradients(-1), Error);
}

TEST_CASE("clip: the same bits for any number of threads") {
  const int before = threads();
  std::vector<std::vector<double>> runs;
  for (const int count : {1, 2, 3, 5}) {
    set_threads(count);
    const Tensor large = make_parameter(f32, 100'003), small = make_parameter(f32, 7);
    optim::Adam adam({{"large", large}, {"small", small}}, {.learning_rate = 0.01});
    std::vector<double> run;
    for (int64_t step = 1; step <= 3; ++step) {
      large.set_gradient(gradient(step, large));
      small.set_gradient(gradient(step, small));
      run.push_back(clip_grad_norm(adam, 1.0));
      adam.step();
    }
    for (const Tensor& x : {large, small}) {
      for (double value : x.values()) run.push_back(value);
    }
    runs.push_back(run);
  }
  set_threads(before);
  for (const auto& run : runs) CHECK(run == runs[0]);
}

#include "autograd/tape/gradcheck.h"

#include "autograd/kernels/softmax.h"
#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "tests/autograd/gradient_table.h"

using namespace mixtape;
using mixtape::tests::normal;

namespace {

using In = const std::vector<Tensor>&;

Tensor square(const Tensor& x, double slope) {
  const Tensor y = (x.detach() * x.detach());
  return record("square", {x}, y,
                Rule(x, Save{x}, [slope](const Tensor& dy, const Tensor& x) { return dy * x * slope; }));
}

// What a matrix product's rule would be without the transposes; shapes are square, so that they cannot tell.
Tensor product(const Tensor& a, const Tensor& b) {
  return record("product", {a, b}, matmul(a.detach(), b.detach()),
                {Rule(a, Save{b}, [](const Tensor& dy, const Tensor& b) { return matmul(dy, b); }),
                 Rule(b, Save{a}, [](const Tensor& dy, const Tensor& a) { return matmul(a, dy); })});
}

// A softmax whose rule leaves out the sum over the row, dx = y * dy.
Tensor softmax_without_row_sum(const Tensor& x) {
  const Tensor y = softmax(x.detach());
  return record("softmax", {x}, y, Rule(x, Save{y}, [](const Tensor& dy, const Tensor& y) { return y * dy; }));
}

// A right first derivative, by a kernel that the tape does not see.
Tensor softmax_by_kernel(const Tensor& x, const Composed& composed) {
  const Tensor y = softmax(x.detach());
  return record("softmax", {x}, y,
                Rule(x, Save{y},
                     [](const Tensor& dy, const Tensor& y) {
                       Tensor dx = Tensor::like(y);
                       kernels::softmax_grad(y.data<double>(), dy.data<double>(), dx.mutable_data<double>(), y.size(0),
                                             y.size(1));
                       return dx;
                     }),
                composed);
}

Tensor doubled_by_hand(const Tensor& dy) {
  const Tensor dx = Tensor::like(dy);
  for (int64_t i = 0; i < dy.elements(); ++i) dx.mutable_data<double>()[i] = 2 * dy.data<double>()[i];
  return dx;
}

}  // namespace

TEST_CASE("gradcheck catches a slope that is off by a two-thousandth") {
  CHECK(gradcheck([](In x) { return square(x[0], 2); }, {normal({2, 3})}));
  const GradcheckResult wrong = gradcheck([](In x) { return square(x[0], 2.001); }, {normal({2, 3})});
  CHECK_FALSE(wrong);
  CHECK(wrong.worst > 1e-4);
  CHECK(wrong.message.starts_with("first derivative by element 0 of input 0 [2, 3]: analytic "));
}

TEST_CASE("gradcheck catches a missing transpose") {
  const std::vector<Tensor> squares{normal({3, 3}, 1), normal({3, 3}, 2)};
  CHECK(gradcheck([](In x) { return matmul(x[0], x[1]); }, squares));
  CHECK_FALSE(gradcheck([](In x) { return product(x[0], x[1]); }, squares));
}

TEST_CASE("gradcheck catches a forgotten row sum") {
  CHECK(gradcheck([](In x) { return softmax(x[0]); }, {normal({2, 4})}));
  CHECK_FALSE(gradcheck([](In x) { return softmax_without_row_sum(x[0]); }, {normal({2, 4})}));
}

TEST_CASE("the second order catches a rule that calls a kernel and names no composed definition") {
  const Differentiable bare = [](In x) { return softmax_by_kernel(x[0], {}); };
  CHECK(gradcheck(bare, {normal({2, 4})}, {.second_order = false}));
  CHECK_THROWS_WITH_AS(gradcheck(bare, {normal({2, 4})}),
                       "softmax: its rule gave a constant; write it with ops or name a composed definition", Error);
  const Differentiable composed = [](In x) { return softmax_by_kernel(x[0], composed::softmax); };
  CHECK(gradcheck(composed, {normal({2, 4})}));
}

TEST_CASE("the second order catches a linear rule whose dependence on dy is lost") {
  const Differentiable lost = [](In x) {
    return record("double", {x[0]}, x[0].detach() * 2.0,
                  Rule(x[0], Save{}, [](const Tensor& dy) { return doubled_by_hand(dy); }));
  };
  CHECK(gradcheck(lost, {normal({3})}, {.second_order = false}));
  CHECK_THROWS_WITH_AS(gradcheck(lost, {normal({3})}),
                       "double: its rule gave a constant; write it with ops or name a composed definition", Error);
}

TEST_CASE("gradcheck takes NaN for a failure") {
  CHECK_FALSE(gradcheck([](In x) { return log(x[0]); }, {Tensor::full({1}, -1, f64)}));
}

TEST_CASE("gradcheck changes no input and no gradient") {
  const Tensor x = normal({2, 3}), before = x.clone();
  const Tensor weight = normal({4, 3}, 2).as_parameter();
  const Differentiable f = [&](In in) { return linear(in[0], weight); };
  CHECK(gradcheck(f, {x, weight}));
  CHECK(x.values() == before.values());
  CHECK_FALSE(weight.gradient());
}

TEST_CASE("gradcheck gives zero for what a function does not use") {
  const Tensor unused = normal({2}, 3).as_parameter();
  CHECK(gradcheck([](In x) { return x[0] * 2.0; }, {normal({2}), normal({3}), Tensor(), unused}));
  CHECK(gradcheck([](In x) { return x[0].detach() * 0.0; }, {normal({2})}));
}

TEST_CASE("gradcheck refuses f32") {
  CHECK_THROWS_WITH_AS(gradcheck([](In x) { return x[0]; }, {Tensor::zeros({2})}),
                       "gradcheck: an input of f32, expected f64", Error);
}

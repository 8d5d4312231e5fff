#include <doctest/doctest.h>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "autograd/tape.h"

using namespace mixtape;

TEST_CASE("smoke") {
  Random random(1);
  const Tensor x = random.normal({3, 4}, 0, 1, f64), w = random.normal({5, 4}, 0, 1, f64),
               b = random.normal({5}, 0, 1, f64);
  const auto check = [](const char* name, const Differentiable& f, const std::vector<Tensor>& in) {
    const GradcheckResult r = gradcheck(f, in);
    MESSAGE(name << " " << r.worst << " " << r.message);
    CHECK(r.passed);
  };
  check("linear", [](const std::vector<Tensor>& in) { return linear(in[0], in[1], in[2]); }, {x, w, b});
  check("softmax", [](const std::vector<Tensor>& in) { return softmax(in[0]); }, {x});
  check("log_softmax", [](const std::vector<Tensor>& in) { return log_softmax(in[0]); }, {x});
  check("gelu", [](const std::vector<Tensor>& in) { return gelu(in[0]); }, {x});
  check("gelu_tanh", [](const std::vector<Tensor>& in) { return gelu_tanh(in[0]); }, {x});
  check("layer_norm", [](const std::vector<Tensor>& in) { return layer_norm(in[0], in[1], in[2]); },
        {x, random.normal({4}, 1, 0.2, f64), random.normal({4}, 0, 1, f64)});
  const Tensor t = Tensor::from(std::vector<int32_t>{1, -1, 3}, {3});
  check("ce", [](const std::vector<Tensor>& in) { return cross_entropy(in[0], in[1], {.label_smoothing = 0.1}); },
        {x, t});
  const Tensor q = random.normal({2, 3, 2, 4}, 0, 1, f64), k = random.normal({2, 5, 2, 4}, 0, 1, f64),
               v = random.normal({2, 5, 2, 3}, 0, 1, f64);
  check("attention",
        [](const std::vector<Tensor>& in) {
          return scaled_dot_product_attention(in[0], in[1], in[2], {.mask = causal()});
        },
        {q, k, v});
  check("matmul",
        [](const std::vector<Tensor>& in) {
          return matmul(in[0], in[1], {true, true});
        },
        {random.normal({2, 3, 4}, 0, 1, f64), random.normal({5, 3}, 0, 1, f64)});
  Tape tape;
  tape.watch(x);
  const Tensor y = sum(softmax(linear(x, w, b)) * 2.0);
  MESSAGE(to_string(tape));
  tape.backward(y);
  MESSAGE(to_string(tape.gradient(x)));
}

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "autograd/ops.h"
#include "autograd/ops/mask.h"
#include "autograd/tape/precision.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/random.h"
#include "tests/autograd/closeness.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

// Checks that both functions have one value and one set of gradients.
void check_equal(const char* name, const Function& fused, const Function& composed, const std::vector<Tensor>& inputs) {
  INFO(std::string(name));
  for (DType dtype : {f64, f32}) {
    std::vector<Tensor> converted;
    for (const Tensor& x : inputs) converted.push_back(x.dtype() == i32 ? x : x.to(dtype));
    check_close(value_and_gradients(fused, converted), value_and_gradients(composed, converted), tolerance(dtype));
  }
}

// x, noting where the gradient of what it gives lies.
const void* gradient_place = nullptr;
Tensor noting_place(const Tensor& x) {
  return record("noting_place", {x}, x.clone(), Rule(x, Save{}, [](const Tensor& dy) {
                  gradient_place = dy.raw_data();
                  return dy;
                }));
}

}  // namespace

TEST_CASE("fused ops equal their composed definitions, forward and backward") {
  using In = const std::vector<Tensor>&;
  Random random(5);
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 7}, Shape{2, 3, 33}, Shape{40, 300}}) {
    CAPTURE(to_string(shape));
    const Tensor x = random.normal(shape, 0, 2, f64), wide = x * 10.0;
    const int64_t n = shape[-1];
    check_equal(
        "relu", [](In in) { return relu(in[0]); }, [](In in) { return composed::relu(in[0]); }, {x});
    check_equal(
        "gelu", [](In in) { return gelu(in[0]); }, [](In in) { return composed::gelu(in[0]); }, {x});
    check_equal(
        "gelu_tanh", [](In in) { return gelu_tanh(in[0]); }, [](In in) { return composed::gelu_tanh(in[0]); }, {x});
    check_equal(
        "softmax", [](In in) { return softmax(in[0]); }, [](In in) { return composed::softmax(in[0]); }, {wide});
    check_equal(
        "log_softmax", [](In in) { return log_softmax(in[0]); }, [](In in) { return composed::log_softmax(in[0]); },
        {wide});
    if (n < 3) continue;  // a row of one element has no variance
    for (double epsilon : {1e-5, 0.1}) {
      check_equal(
          "layer_norm", [=](In in) { return layer_norm(in[0], in[1], in[2], epsilon); },
          [=](In in) { return composed::layer_norm(in[0], in[1], in[2], epsilon); },
          {x, random.normal({n}, 1, 0.3, f64), random.normal({n}, 0, 1, f64)});
    }
  }
}

TEST_CASE("a linear layer of an activation equals the two apart, and the tape saves the input only") {
  using In = const std::vector<Tensor>&;
  Random random(7);
  for (const Activation f : {Activation::relu, Activation::gelu, Activation::gelu_tanh}) {
    const Tensor x = random.normal({150, 70}, 0, 2), weight = random.normal({90, 70}, 0, 1);
    check_equal(
        "linear of an activation", [=](In in) { return linear(activate(in[0] * 1.0, f), in[1], in[2]); },
        [=](In in) {
          const Tensor y = activate(in[0], f);  // of an input: computed at once
          CHECK_FALSE(y.deferral());
          return linear(y, in[1], in[2]);
        },
        {x, weight, random.normal({90}, 0, 1)});
    Tape tape(random.at(0));
    tape.watch(x);
    tape.watch(weight);
    linear(activate(x * 1.0, f), weight);
    CHECK(tape.saved_bytes() == x.bytes() + weight.bytes());
  }
}

TEST_CASE("linear layers of nothing give the bias") {
  const Tensor x = Tensor::zeros({3, 0}), weight = Tensor::zeros({2, 0}), bias = Tensor::full({2}, 7);
  CHECK(linear(x, weight, bias).values() == std::vector<double>(6, 7));
  Tape tape;
  tape.watch(x);
  CHECK(linear(relu(x * 1.0), weight, bias).values() == std::vector<double>(6, 7));
}

TEST_CASE("gradients that take the place of what was kept are those of a tape that keeps all") {
  Random random(8);
  const Tensor x = random.normal({3, 700, 512}, 0, 1), weight = random.normal({40, 512}, 0, 1);
  const Tensor heads = random.normal({2, 30, 3, 16}, 0, 1);
  const Tensor classes = Tensor::full({2100}, 7, i32), shares = softmax(random.normal({2100, 512}, 0, 1));
  const std::function<Tensor(const Tensor&)> functions[] = {
      [&](const Tensor& a) { return linear(gelu(a + 0.5), weight); },
      [&](const Tensor& a) { return linear(relu(a + 0.5), weight); },
      [](const Tensor& a) { return scaled_dot_product_attention(a + 0.5, a * 1.5, a + 1.0, {.mask = causal()}); },
      [&](const Tensor& a) {
        return cross_entropy(reshape(a * 2.0, {2100, 512}), classes);
      },
      [&](const Tensor& a) {
        return soft_cross_entropy(reshape(a * 2.0, {2100, 512}), shares);
      }};
  for (const auto& f : functions) {
    for (const DType factors : {f32, bf16}) {
      const MixedPrecision precision(factors);
      const Tensor a = &f == &functions[2] ? heads : x;
      const auto gradient = [&](bool retain_tape) {
        Tape tape(random.at(0));
        tape.watch(a);
        const Tensor loss = sum(f(a) * 0.01);
        tape.backward(loss, {.retain_tape = retain_tape});
        Tensor result = tape.gradient(a);
        CHECK(tape.find(result) == -1);
        return result;
      };
      const Tensor in_place = gradient(false);
      check_close({in_place}, {gradient(true)}, 0);
      Tape next;  // and it may be used under another tape
      next.watch(a);
      next.backward(sum(in_place * a));
    }
  }
}

TEST_CASE("cross entropy's gradient takes the place of logits that nobody else holds") {
  const Tensor x = Random(9).normal({6, 5}, 0, 1), classes = Tensor::full({6}, 2, i32), shares = softmax(x);
  for (const bool soft : {false, true}) {
    for (const bool held : {false, true}) {
      Tape tape(RandomKey{1, 2});
      tape.watch(x);
      Tensor logits = noting_place(x);
      const void* place = logits.raw_data();
      const Tensor loss = soft ? soft_cross_entropy(logits, shares) : cross_entropy(logits, classes);
      if (!held) logits = {};
      tape.backward(loss);
      CHECK((gradient_place == place) == !held);
      if (held) CHECK(logits.values() == x.values());
    }
  }
}

TEST_CASE("cross entropy equals its composed definition") {
  using In = const std::vector<Tensor>&;
  Random random(6);
  for (const Shape& shape : {Shape{1, 1}, Shape{5, 9}, Shape{30, 257}}) {
    std::vector<int32_t> classes;
    for (int64_t i = 0; i < shape[0]; ++i)
      classes.push_back(i % 4 == 3 ? -1 : static_cast<int32_t>(random.below(shape[1])));
    const Tensor logits = random.normal(shape, 0, 4, f64), targets = Tensor::from(classes, {shape[0]});
    for (double smoothing : {0.0, 0.1, 1.0}) {
      for (Reduction reduction : {Reduction::mean, Reduction::sum}) {
        const CrossEntropyOptions options{.label_smoothing = smoothing, .reduction = reduction};
        check_equal(
            "cross_entropy", [=](In in) { return cross_entropy(in[0], in[1], options); },
            [=](In in) { return composed::cross_entropy(in[0], in[1], options); }, {logits, targets});
      }
    }
  }
}

TEST_CASE("cross entropy over rows that all are ignored is 0, with gradient 0") {
  const Tensor logits = Random(1).normal({2, 3}, 0, 1, f64).as_parameter();
  Tape tape;
  const Tensor loss = cross_entropy(logits, Tensor::from(std::vector<int32_t>{-1, -1}, {2}));
  tape.backward(loss);
  CHECK(loss.item() == 0);
  CHECK(logits.gradient().values() == std::vector<double>(6, 0.0));
}

TEST_CASE("dropout keeps a share, scales it, and has the same mask backwards") {
  const Tensor x = Tensor::full({100, 100}, 3, f64).as_parameter();
  for (double p : {0.0, 0.1, 0.5, 0.9}) {
    x.clear_gradient();
    Tape tape(RandomKey{1, 2});
    const Tensor y = dropout(x, p);
    tape.backward(sum(y));
    int64_t kept = 0, wrong = 0;
    for (int64_t i = 0; i < x.elements(); ++i) {
      const double value = y.data<double>()[i], slope = x.gradient().data<double>()[i];
      wrong += std::abs(slope - value / 3) > 1e-15 || (value != 0 && std::abs(value - 3 / (1 - p)) > 1e-14 * value);
      kept += value != 0;
    }
    CHECK(wrong == 0);
    CHECK(static_cast<double>(kept) / 10'000 == doctest::Approx(1 - p).epsilon(0.05));
  }
  for (double p : {1 - 1e-9, 1 - 1e-12, std::nextafter(1.0, 0.0)}) {
    Tape tape(RandomKey{1, 2});
    CHECK(sum(dropout(x, p)).item() == 0);
  }
}

#include "autograd/tape/precision.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "autograd/ops.h"
#include "autograd/ops/mask.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"

using namespace mixtape;

namespace {

// A bfloat16 has 8 bits: rounding is off by at most 2^-9.
constexpr double kHalfStep = 0x1p-9;

// An f32 tensor whose numbers bfloat16 has, too: their products are exact in f32.
Tensor coarse(const Shape& shape, Random& random) {
  std::vector<double> values(static_cast<size_t>(shape.elements()));
  for (double& value : values) value = static_cast<double>(random.below(255) - 127) / 64;
  return Tensor::from(values, shape);
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  const std::vector<double> x = a.values(), y = b.values();
  for (size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  return largest;
}

double largest(const Tensor& x) { return largest_difference(x, Tensor::zeros(x.shape(), x.dtype())); }

// Each op that multiplies matrices, of inputs that it shapes itself.
struct Multiplies {
  const char* name;
  std::vector<Shape> inputs;
  std::function<Tensor(const std::vector<Tensor>& in)> op;
};

const std::vector<Multiplies>& ops() {
  static const std::vector<Multiplies> all = {
      {"matmul", {{5, 40}, {40, 7}}, [](const auto& in) { return matmul(in[0], in[1]); }},
      {"matmul, batched and transposed",
       {{3, 40, 5}, {3, 7, 40}},
       [](const auto& in) { return matmul(in[0], in[1], {.transpose_a = true, .transpose_b = true}); }},
      {"linear", {{6, 40}, {9, 40}, {9}}, [](const auto& in) { return linear(in[0], in[1], in[2]); }},
      {"conv2d",
       {{2, 6, 6, 3}, {4, 3, 3, 3}, {4}},
       [](const auto& in) { return conv2d(in[0], in[1], in[2], {.padding = 1}); }},
      {"attention",
       {{2, 9, 2, 8}, {2, 9, 2, 8}, {2, 9, 2, 8}},
       [](const auto& in) { return scaled_dot_product_attention(in[0], in[1], in[2], {.mask = causal()}); }},
  };
  return all;
}

struct Products {
  Tensor y;
  std::vector<Tensor> gradients;
};

// Forward under one precision, backward under another.
Products run(const Multiplies& op, const std::vector<Tensor>& in, const Tensor& dy, DType forward, DType backward) {
  Tape tape;
  for (const Tensor& x : in) tape.watch(x);
  Products results;
  {
    const MixedPrecision precision(forward);
    results.y = op.op(in);
  }
  const MixedPrecision precision(backward);
  tape.backward(results.y, {.seed = dy});
  for (const Tensor& x : in) results.gradients.push_back(tape.gradient(x).detach());
  return results;
}

}  // namespace

TEST_CASE("mixed precision: products round their factors, in backward as in forward") {
  for (const Multiplies& op : ops()) {
    CAPTURE(op.name);
    Random random(3);
    std::vector<Tensor> in;
    for (const Shape& shape : op.inputs) in.push_back(random.uniform(shape, -1, 1));
    const Tensor dy = random.uniform(op.op(in).shape(), -1, 1);
    const Products full = run(op, in, dy, f32, f32), mixed = run(op, in, dy, bf16, bf16);
    const double error = largest_difference(full.y, mixed.y);
    CHECK(error > 0);
    CHECK(error < 8 * kHalfStep * largest(full.y));
    for (size_t i = 0; i < in.size(); ++i) {
      CAPTURE(i);
      CHECK(largest_difference(full.gradients[i], mixed.gradients[i]) < 8 * kHalfStep * largest(full.gradients[i]));
    }
    const Products other = run(op, in, dy, bf16, f32), third = run(op, in, dy, f32, bf16);
    for (size_t i = 0; i < in.size(); ++i) {
      CHECK(largest_difference(mixed.gradients[i], other.gradients[i]) == 0);
      CHECK(largest_difference(full.gradients[i], third.gradients[i]) == 0);
    }
  }
}

TEST_CASE("mixed precision: numbers that round to the same factors give the same results and gradients") {
  for (const Multiplies& op : ops()) {
    CAPTURE(op.name);
    Random random(6);
    std::vector<Tensor> in, rounded;
    for (const Shape& shape : op.inputs) {
      const bool factor = shape.rank() > 1;  // a bias is none
      in.push_back(random.uniform(shape, -1, 1));
      rounded.push_back(factor ? in.back().to(bf16).to(f32) : in.back());
    }
    const Tensor dy = random.uniform(op.op(in).shape(), -1, 1);
    const Products mixed = run(op, in, dy, bf16, bf16), same = run(op, rounded, dy, bf16, bf16);
    CHECK(largest_difference(mixed.y, same.y) == 0);
    for (size_t i = 0; i < in.size(); ++i) CHECK(largest_difference(mixed.gradients[i], same.gradients[i]) == 0);
  }
}

TEST_CASE("mixed precision: attention and GELU keep what they round in half the memory") {
  Random random(7);
  const Tensor x = random.uniform({2, 9, 2, 8}, -1, 1);
  const auto kept = [&](DType factors, auto&& op) {
    const MixedPrecision precision(factors);
    Tape tape(random.at(0));
    tape.watch(x);
    op();
    return tape.saved_bytes();
  };
  const auto attend = [&] {
    const Tensor q = x + 1.0, k = x + 2.0, v = x + 3.0;
    scaled_dot_product_attention(q, k, v);
  };
  CHECK(kept(f32, attend) - kept(bf16, attend) == 3 * x.elements() * 2);
  for (Tensor (*f)(const Tensor&) : {gelu, gelu_tanh}) CHECK(kept(bf16, [&] { f(x + 1.0); }) == x.elements() * 2);
}

TEST_CASE("mixed precision: GELU is that of its rounded input, in backward and when it is computed again, too") {
  Random random(8);
  const Tensor x = random.uniform({50, 40}, -3, 3), rounded = x.to(bf16).to(f32), w = random.uniform({30, 40}, -1, 1);
  for (Tensor (*f)(const Tensor&) : {gelu, gelu_tanh}) {
    const auto gradient = [&](const Tensor& at, DType factors) {
      Tape tape(random.at(0));
      tape.watch(at);
      const Tensor y = [&] {
        const MixedPrecision precision(factors);
        return f(at);
      }();
      tape.watch(w);
      tape.backward(sum(linear(y, w)));
      return std::pair(y, std::pair(tape.gradient(at), tape.gradient(w)));
    };
    const auto mixed = gradient(x, bf16), full = gradient(rounded, f32);
    CHECK(largest_difference(mixed.first, full.first) == 0);
    CHECK(largest_difference(mixed.second.first, full.second.first) == 0);
    CHECK(largest_difference(mixed.second.second, full.second.second) == 0);
  }
}

TEST_CASE("mixed precision: a GELU between two products is held as the rounded input alone, and read where it stands") {
  Random random(9);
  const Tensor x = random.uniform({20, 30}, -3, 3), w = random.uniform({10, 30}, -1, 1);
  const auto gradient = [&](bool read_before) {
    const MixedPrecision precision;
    Tape tape(random.at(0));
    tape.watch(x);
    Tensor y = gelu(x + 0.0);
    if (read_before) {
      const Pause pause;
      CHECK(largest_difference(y, gelu(x)) == 0);
    }
    const Tensor z = linear(y, w);
    y = {};
    CHECK(tape.saved_bytes() == x.elements() * 2 + w.bytes());
    tape.backward(sum(z * z));
    return tape.gradient(x);
  };
  CHECK(largest_difference(gradient(false), gradient(true)) == 0);
}

TEST_CASE("mixed precision: a recorded backward multiplies as forward did, too") {
  Random random(10);
  const Tensor x = random.normal({6, 40}, 0, 1), w = random.normal({9, 40}, 0, 1),
               heads = random.normal({2, 9, 2, 8}, 0, 1);
  const std::function<Tensor(const Tensor&)> functions[] = {
      [&](const Tensor& a) { return linear(gelu(a * 1.0), w); },
      [](const Tensor& a) { return scaled_dot_product_attention(a, a * 2.0, a + 1.0); }};
  for (const auto& f : functions) {
    const Tensor a = &f == &functions[1] ? heads : x;
    const auto gradient = [&](DType backward) {
      Tape tape;
      tape.watch(a);
      const Tensor loss = sum(f(a) * f(a));
      const MixedPrecision precision(backward);
      return tape.gradients(loss, {a}, {.record = true})[0].detach();
    };
    CHECK(largest_difference(gradient(f32), gradient(bf16)) == 0);
  }
}

TEST_CASE("mixed precision: factors that bfloat16 has are multiplied exactly") {
  for (const Multiplies& op : ops()) {
    if (std::string(op.name) == "attention") continue;  // its weights are rounded
    CAPTURE(op.name);
    Random random(4);
    std::vector<Tensor> in;
    for (const Shape& shape : op.inputs) in.push_back(coarse(shape, random));
    const Tensor full = op.op(in);
    const MixedPrecision precision;
    CHECK(largest_difference(full, op.op(in)) == 0);
  }
}

TEST_CASE("mixed precision: f64 stays exact, and the scope ends") {
  Random random(5);
  const Tensor a = random.uniform({4, 30}, -1, 1, f64), b = random.uniform({30, 4}, -1, 1, f64);
  const Tensor exact = matmul(a, b);
  {
    const MixedPrecision outer(bf16);
    CHECK(compute_precision() == bf16);
    CHECK(largest_difference(matmul(a, b), exact) == 0);
    const MixedPrecision inner(f32);
    CHECK(compute_precision() == f32);
  }
  CHECK(compute_precision() == f32);
  CHECK_THROWS_WITH_AS(MixedPrecision{i32}, "mixed precision: operands of i32, expected f32 or bf16", Error);
}

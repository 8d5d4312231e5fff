#include "autograd/tape/rule.h"

#include <algorithm>
#include <functional>
#include <map>

#include "autograd/ops.h"
#include "autograd/tape/internal/rule_observer.h"
#include "autograd/tape/precision.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"
#include "tests/autograd/gradient_table.h"
#include "tests/autograd/rows.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

// The bytes of a tensor that holds its elements, as one number.
uint64_t checksum(const Tensor& x) {
  uint64_t sum = 14695981039346656037u;
  if (!x || x.deferral()) return sum;
  const auto* bytes = static_cast<const unsigned char*>(x.raw_data());
  for (int64_t i = 0; i < x.bytes(); ++i) sum = (sum ^ bytes[i]) * 1099511628211u;
  return sum;
}

// Plays the rules of every line in one of their orders, and checks that none writes to what others still read.
class Ordered : public RuleObserver {
 public:
  explicit Ordered(int64_t number) : number_(number) { current = this; }
  ~Ordered() override { current = outer_; }
  Ordered(const Ordered&) = delete;
  Ordered& operator=(const Ordered&) = delete;

  void order(std::span<uint32_t> rules) override {
    most_rules = std::max(most_rules, rules.size());
    std::sort(rules.begin(), rules.end());
    for (int64_t i = 0; i < number_; ++i) std::next_permutation(rules.begin(), rules.end());
  }
  void before(const char*, std::span<const Tensor* const> still_read) override {
    sums_.clear();
    for (const Tensor* tensor : still_read) sums_.push_back(checksum(*tensor));
  }
  void after(const char* op, std::span<const Tensor* const> still_read) override {
    CAPTURE(std::string(op));
    REQUIRE(still_read.size() == sums_.size());
    for (size_t i = 0; i < sums_.size(); ++i)
      if (sums_[i] != checksum(Tensor())) CHECK(checksum(*still_read[i]) == sums_[i]);  // else the rule computed it
  }

  size_t most_rules = 0;

 private:
  int64_t number_;
  RuleObserver* outer_ = current;
  std::vector<uint64_t> sums_;
};

using Gradients = std::vector<Values>;

using Function = std::function<Tensor(const std::vector<Tensor>& in)>;

// The gradients of f on a tape that lets rules overwrite what they may, of inputs and for a result that nobody else
// holds.
Gradients gradients_of(const Function& f, const std::vector<Tensor>& inputs, const std::optional<RandomKey>& random,
                       bool retain_tape) {
  Tape tape(TapeOptions{.random = random, .save_inputs = false});
  for (const Tensor& x : inputs)
    if (is_differentiable(x.dtype())) tape.watch(x);
  Tensor loss;
  {
    std::vector<Tensor> computed;
    for (const Tensor& x : inputs) computed.push_back(is_differentiable(x.dtype()) ? x * 1.0 : x);
    const Tensor y = f(computed);
    if (!Tape::tracks(y)) return {};
    loss = sum(y * Random(5).uniform(y.shape(), -1, 1, y.dtype()));
  }
  tape.backward(loss, {.retain_tape = retain_tape});
  Gradients result;
  for (const Tensor& x : inputs)
    if (is_differentiable(x.dtype())) result.push_back(tape.gradient(x).values());
  return result;
}

// Whether rules in any order, some over what others have read, give the bits of rules that overwrite nothing.
size_t check_orders(const Function& f, const std::vector<Tensor>& inputs, const std::optional<RandomKey>& random) {
  size_t most_rules = 0;
  const Gradients expected = gradients_of(f, inputs, random, true);
  CHECK(gradients_of(f, inputs, random, false) == expected);
  for (int64_t number = 0; number < 6; ++number) {
    for (const bool retain_tape : {false, true}) {
      Ordered ordered(number);
      CHECK(gradients_of(f, inputs, random, retain_tape) == expected);
      most_rules = std::max(most_rules, ordered.most_rules);
    }
  }
  return most_rules;
}

}  // namespace

TEST_CASE("rules: every op's in any order, over what may be overwritten or not, give the same bits") {
  size_t most_rules = 0;
  for (const GradientRow& row : op_gradient_rows()) {
    CAPTURE(std::string(row.name));
    most_rules = std::max(most_rules, check_orders(row.f, row.inputs, row.options.random));
  }
  CHECK(most_rules >= 3);
}

TEST_CASE("rules: in any order also where products go by rows, and in mixed precision") {
  constexpr int64_t kRows = 400, kWidth = 64, kHidden = 192;
  Random random(3);
  const auto weight = [&](int64_t out, int64_t in) { return random.normal({out, in}, 0, 0.2); };
  const std::vector<Tensor> inputs = {random.normal({kRows, kWidth}, 0, 1),
                                      weight(kWidth, kWidth),
                                      weight(kHidden, kWidth),
                                      weight(kWidth, kHidden),
                                      random.normal({kWidth}, 1, 0.1),
                                      random.normal({kWidth}, 0, 0.1)};
  const Tensor classes = Tensor::full({kRows}, 5, i32);
  const Function block = [&](const std::vector<Tensor>& in) {
    const Tensor x = layer_norm(in[0], in[4], in[5]), heads = reshape(linear(x, in[1]), {4, 100, 2, 32});
    const Tensor mixed = reshape(scaled_dot_product_attention(heads * 2.0, heads + 1.0, heads * 0.5), {kRows, kWidth});
    const Tensor y = x + dropout(linear(mixed, in[1]), 0.1);
    const Tensor hidden = gelu(linear(layer_norm(y, in[4], in[5]), in[2]));
    const Tensor z = relu(linear(hidden, in[3]) + y);
    return cross_entropy(linear(z, in[1]), classes) + sum(softmax(z) * z) * 0.01;
  };
  for (const DType precision : {f32, bf16}) {
    const MixedPrecision mixed(precision);
    check_orders(block, inputs, RandomKey{1, 2});
  }
}

namespace {

// Ops as users write them: y = x + u and y = x * u by loops, with rules that return dy, or a saved tensor, as it is.
Tensor plus(const Tensor& x, const Tensor& u) {
  const Pause pause;
  return x + u;
}
Tensor user_add(const Tensor& x, const Tensor& u) {
  return record(
      "user_add", {x, u}, plus(x, u),
      {Rule(x, Save{}, [](const Tensor& dy) { return dy; }), Rule(u, Save{}, [](const Tensor& dy) { return dy; })});
}

// sum(x * u), whose gradients are u and x where dy is 1.
Tensor user_dot(const Tensor& x, const Tensor& u) {
  Tensor y;
  {
    const Pause pause;
    y = sum(x * u);
  }
  return record("user_dot", {x, u}, y,
                {Rule(x, Save{u}, [](const Tensor&, const Tensor& u) { return u; }),
                 Rule(u, Save{x}, [](const Tensor&, const Tensor& x) { return x; })});
}

// 3 x by a kernel of the user's.
Tensor user_triple(const Tensor& x) {
  const auto triple = [](const Tensor& from, const Tensor& to) {
    for (int64_t i = 0; i < from.elements(); ++i) to.mutable_data<double>()[i] = 3 * from.data<double>()[i];
  };
  Tensor y = Tensor::like(x);
  triple(x, y);
  return record("user_triple", {x}, y,
                Rule(x, Save{}, [triple](const Tensor& dy, Gradient& dx) { triple(dy, dx.tensor); }),
                [](const Tensor& x) { return x * 3.0; });
}

// d/dw and d/dv of a function that uses each op twice, one of its tensors as both inputs, and dy of one op for another.
Tensor of_user_ops(const Tensor& w, const Tensor& v) {
  const Tensor x = user_triple(w), u = v * 2.0;
  const Tensor both = user_add(user_add(x, u), user_add(x, x));
  return user_dot(both, u) + user_dot(u, u) + sum(both);
}
Tensor of_own_ops(const Tensor& w, const Tensor& v) {
  const Tensor x = w * 3.0, u = v * 2.0, both = x + u + (x + x);
  return sum(both * u) + sum(u * u) + sum(both);
}

}  // namespace

TEST_CASE("rules that return dy or a saved tensor, or write to what they are given, are right under every mode") {
  const Tensor w = parameter({1, -2, 3}), v = parameter({0.5, 4, -1});
  Values dw, dv;
  {
    Tape tape;
    tape.backward(of_own_ops(w, v));
    dw = w.gradient().values();
    dv = v.gradient().values();
  }
  const auto check = [&](Values factors = {1, 1, 1}) {
    for (size_t i = 0; i < factors.size(); ++i) {
      CHECK(w.gradient().values()[i] == doctest::Approx(dw[i] * factors[i]));
      CHECK(v.gradient().values()[i] == doctest::Approx(dv[i] * factors[i]));
    }
    CHECK(w.values() == Values{1, -2, 3});
    CHECK(v.values() == Values{0.5, 4, -1});
    w.clear_gradient();
    v.clear_gradient();
  };
  w.clear_gradient();
  v.clear_gradient();
  for (const bool training : {false, true}) {
    CAPTURE(training);
    const TapeOptions options = training ? TapeOptions{RandomKey{1, 1}, false} : TapeOptions{};
    {
      Tape tape(options);
      tape.backward(of_user_ops(w, v));
      check();
    }
    {
      Tape tape(options);
      const Tensor loss = of_user_ops(w, v);
      tape.backward(loss, {.retain_tape = true});
      tape.backward(loss, {.retain_tape = true});
      tape.backward(loss);
      check({3, 3, 3});
    }
    {
      Tape tape(options);
      const Tensor x = w * 1.0, loss = of_user_ops(x, v);
      int calls = 0;
      const Hook hook = tape.on_gradient(x, [&](const Tensor& gradient) {
        ++calls;
        return gradient * 1.0;
      });
      tape.backward(loss, {.keep = {x, loss}});
      CHECK(calls == 1);
      CHECK(tape.gradient(loss).values() == Values{1});
      CHECK(tape.gradient(x).values() == w.gradient().values());
      check();
    }
    for (int64_t number = 0; number < 2; ++number) {
      Ordered ordered(number);
      Tape tape(options);
      tape.backward(of_user_ops(w, v));
      check();
    }
    {
      Tape tape(options);
      const Tensor seed = Tensor::scalar(1, f64);
      tape.backward(of_user_ops(w, v), {.seed = seed});
      CHECK(seed.item() == 1);
      check();
    }
  }
  std::vector<Values> second_order;
  for (const auto& f : {of_own_ops, of_user_ops}) {
    Tape tape;
    const std::vector<Tensor> recorded = tape.gradients(f(w, v), {w, v}, {.record = true});
    tape.backward(sum(recorded[0] * recorded[0]) + sum(recorded[1]));
    second_order.push_back(w.gradient().values());
    second_order.push_back(v.gradient().values());
    w.clear_gradient();
    v.clear_gradient();
  }
  CHECK(second_order[0] == second_order[2]);
  CHECK(second_order[1] == second_order[3]);
}

TEST_CASE("rules: what an author gets wrong is an error that names the op") {
  const Tensor x = parameter({1, 2}), u = parameter({3, 4});
  const auto sum_of = [](const Tensor& y) { return sum(y); };
  Tape tape;
  SUBCASE("a rule that writes to dy") {
    const Tensor y = record("doubles", {x}, x.clone(), Rule(x, Save{}, [](const Tensor& dy) {
                              dy.fill(2);
                              return dy;
                            }));
    CHECK_THROWS_WITH_AS(tape.backward(sum_of(y + u)),
                         "doubles: its rule wrote to dy or to a saved tensor, which it may only read", Error);
  }
  SUBCASE("a rule that writes to a saved tensor") {
    const Tensor y = record("squares", {x}, x.clone(), Rule(x, Save{x}, [](const Tensor& dy, const Tensor& x) {
                              x.mutable_data<double>()[0] = 0;
                              return dy * x;
                            }));
    CHECK_THROWS_WITH_AS(tape.backward(sum_of(y)),
                         "squares: its rule wrote to dy or to a saved tensor, which it may only read", Error);
  }
  SUBCASE("an input without a rule") {
    CHECK_THROWS_WITH_AS(record("half", {x, u}, x.clone(), Rule(x, Save{}, [](const Tensor& dy) { return dy; })),
                         "half: no rule gives the gradient of its input 1", Error);
    CHECK_THROWS_WITH_AS(record("once", {x, x}, x.clone(), Rule(x, Save{}, [](const Tensor& dy) { return dy; })),
                         "once: no rule gives the gradient of its input 1", Error);
    CHECK(tape.size() == 2);
  }
  SUBCASE("a rule for another tensor") {
    CHECK_THROWS_WITH_AS(record("other", {x}, x.clone(),
                                {Rule(x, Save{}, [](const Tensor& dy) { return dy; }),
                                 Rule(u, Save{}, [](const Tensor& dy) { return dy; })}),
                         "other: a rule for a tensor that is none of its inputs", Error);
  }
  SUBCASE("a rule that gives nothing") {
    const Tensor y = record("nothing", {x}, x.clone(), Rule(x, Save{}, [](const Tensor&) { return Tensor(); }));
    CHECK_THROWS_WITH_AS(tape.backward(sum_of(y)), "nothing: the gradient is undefined, expected f64 [2]", Error);
  }
  SUBCASE("an output that is an input") {
    const auto identity = [](const Tensor& dy) { return dy; };
    CHECK_THROWS_WITH_AS(record("reverse", {x}, x, Rule(x, Save{}, identity)),
                         "reverse: its output is its own input; return a new tensor", Error);
  }
  SUBCASE("an output that was recorded as it was computed") {
    const Tensor y = x * u;
    CHECK_THROWS_WITH_AS(record("product", {x}, y, Rule(x, Save{}, [](const Tensor& dy) { return dy; })),
                         "product: its output is on the tape already; compute it under a Pause", Error);
  }
  SUBCASE("a kernel without a composed definition, when backward is recorded") {
    const Tensor y = record("kernel", {x}, x.clone(),
                            Rule(x, Save{}, [](const Tensor& dy, Gradient& dx) { dx.tensor.copy_from(dy); }));
    CHECK_THROWS_WITH_AS(tape.gradients(sum_of(y), {x}, {.record = true}),
                         "kernel: its rule calls a kernel and cannot be recorded; name a composed definition", Error);
  }
  CHECK_FALSE(x.gradient());
}

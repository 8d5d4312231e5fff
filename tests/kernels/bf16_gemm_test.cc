#include "autograd/kernels/bf16_gemm.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>

#include "tests/kernels/buffers.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;

namespace {

// To the nearest bfloat16, to even in the middle, by its definition: 8 significant bits.
float rounded(float x) {
  if (x == 0 || !std::isfinite(x)) return x;
  int exponent = 0;
  const double mantissa = std::frexp(static_cast<double>(x), &exponent) * 256;
  return static_cast<float>(std::ldexp(std::nearbyint(mantissa), exponent - 8));
}

std::vector<float> rounded(std::vector<float> x) {
  for (float& value : x) value = rounded(value);
  return x;
}

// x [rows, columns] as an operand with `spare` NaN after each row in memory.
struct RoundedLaid {
  std::vector<float> memory;
  Operand<float> operand;

  RoundedLaid(const std::vector<float>& x, int64_t rows, int64_t columns, bool transposed, int64_t spare) {
    const int64_t height = transposed ? columns : rows, width = transposed ? rows : columns;
    memory.assign(static_cast<size_t>(height * (width + spare) + 1), kNaN<float>);
    for (int64_t r = 0; r < height; ++r) {
      for (int64_t c = 0; c < width; ++c)
        memory[static_cast<size_t>(1 + r * (width + spare) + c)] =
            x[static_cast<size_t>(transposed ? c * columns + r : r * columns + c)];
    }
    operand = {memory.data() + 1, width + spare, transposed};
  }
};

struct RoundedProduct {
  int64_t m, n, k;
  bool a_transposed = false, b_transposed = false;
  int64_t spare = 0;
  float alpha = 1, beta = 0;
  bool bias = false;
};

void check(const RoundedProduct& p) {
  CAPTURE(p.m);
  CAPTURE(p.n);
  CAPTURE(p.k);
  CAPTURE(p.a_transposed);
  CAPTURE(p.b_transposed);
  const auto a = random_values<float>(p.m * p.k, 1), b = random_values<float>(p.k * p.n, 2);
  const auto before = random_values<float>(p.m * p.n, 3), bias = random_values<float>(p.n, 4);
  auto want = reference::exact(before);
  reference::gemm<double>(p.m, p.n, p.k, p.alpha, reference::exact(rounded(a)), reference::exact(rounded(b)), p.beta,
                          want);
  for (int64_t i = 0; p.bias && i < p.m * p.n; ++i) want[static_cast<size_t>(i)] += bias[static_cast<size_t>(i % p.n)];
  const RoundedLaid left(a, p.m, p.k, p.a_transposed, p.spare), right(b, p.k, p.n, p.b_transposed, p.spare);
  const int64_t stride = p.n + p.spare;
  Guarded<float> c(p.m * stride, 1);
  for (int64_t i = 0; i < p.m * p.n; ++i)
    c.data()[i / p.n * stride + i % p.n] = p.beta == 0 ? kNaN<float> : before[static_cast<size_t>(i)];
  bf16_gemm(p.m, p.n, p.k, p.alpha, left.operand, right.operand, p.beta, c.data(), stride,
            p.bias ? bias.data() : nullptr);
  std::vector<float> got;
  bool spare_intact = c.intact();
  for (int64_t i = 0; i < p.m * stride; ++i) {
    if (i % stride < p.n) {
      got.push_back(c.data()[i]);
    } else {
      spare_intact = spare_intact && c.data()[i] == Guarded<float>::unwritten();
    }
  }
  const double error = 1e-6 * std::sqrt(static_cast<double>(p.k + 1));
  CHECK(difference(got, want, error, error) == "");
  CHECK(spare_intact);
}

template <class F>
void for_each_bf16_instruction_set(const F& f) {
  struct Reset {
    ~Reset() { force_bf16_instruction_set(""); }
  } reset;
  for (const std::string& instruction_set : bf16_instruction_sets()) {
    CAPTURE(instruction_set);
    REQUIRE(force_bf16_instruction_set(instruction_set));
    REQUIRE(bf16_instruction_set() == instruction_set);
    f();
  }
}

}  // namespace

TEST_CASE("bf16_gemm: sizes, transposes, strides, alpha, beta and bias, on every instruction set") {
  const int64_t shapes[][3] = {{1, 1, 1},    {1, 33, 5},   {5, 1, 7},    {16, 16, 32},   {31, 17, 33},  {32, 32, 64},
                               {33, 70, 20}, {40, 3, 131}, {64, 65, 96}, {130, 257, 40}, {17, 31, 1025}};
  for_each_bf16_instruction_set([&] {
    for (const auto& [m, n, k] : shapes) {
      for (int mask = 0; mask < 8; ++mask) {
        RoundedProduct p{
            m, n, k, (mask & 1) != 0, (mask & 2) != 0, (mask & 4) != 0 ? 5 : 0, mask % 3 == 0 ? 1.0F : -0.5F};
        check(p);
        p.bias = true;
        check(p);
        p.bias = false;
        p.beta = mask % 2 == 0 ? 1 : 0.25F;
        check(p);
      }
    }
  });
}

TEST_CASE("bf16_gemm: sizes of 0") {
  for_each_bf16_instruction_set([] {
    for (const RoundedProduct& p :
         {RoundedProduct{0, 3, 4}, RoundedProduct{3, 0, 4}, RoundedProduct{3, 4, 0}, RoundedProduct{0, 0, 0}})
      check(p);
    check({.m = 3, .n = 4, .k = 0, .bias = true});
  });
}

TEST_CASE("bf16_gemm: rounds to nearest, to even in the middle, and keeps infinities and NaN") {
  const float one = 1, step = 0x1p-7F;  // between neighbours above 1
  const std::vector<float> x = {
      one + step / 2, one + 1.5F * step, one + 0.49F * step, one + 0.51F * step, -one - step / 2,
      0x1.fffp127F,   kInfinity<float>,  -kInfinity<float>,  kNaN<float>,        0.0F};
  const std::vector<float> want = {
      one, one + 2 * step, one, one + step, -one, kInfinity<float>, kInfinity<float>, -kInfinity<float>, kNaN<float>,
      0.0F};
  const auto n = static_cast<int64_t>(x.size());
  for_each_bf16_instruction_set([&] {
    std::vector<float> left(x.size()), right(x.size());
    bf16_gemm(n, 1, 1, 1, {x.data(), 1}, {&one, 1}, 0, left.data(), 1);
    bf16_gemm(1, n, 1, 1, {&one, 1}, {x.data(), n}, 0, right.data(), n);
    CHECK(difference(left, want, 0, 0) == "");
    CHECK(difference(right, want, 0, 0) == "");
  });
}

TEST_CASE("bf16_gemm: the same bits with any number of threads") {
  const int64_t m = 300, n = 520, k = 1100;
  const auto a = random_values<float>(m * k, 1), b = random_values<float>(k * n, 2);
  for_each_bf16_instruction_set([&] {
    check_same_bits_on_any_threads([&] {
      std::vector<float> c(static_cast<size_t>(m * n));
      bf16_gemm(m, n, k, 1, {a.data(), k}, {b.data(), n}, 0, c.data(), n);
      return c;
    });
  });
}

TEST_CASE("gemm, gemm_tile and gemm_batch: bf16 factors round, f64 stays exact") {
  const int64_t m = 7, n = 9, k = 40;
  const auto a = random_values<float>(2 * m * k, 1), b = random_values<float>(2 * k * n, 2);
  std::vector<float> want(2 * m * n), got(2 * m * n);
  const int64_t a_offsets[] = {0, m * k}, b_offsets[] = {k * n, 0};
  for (int64_t i = 0; i < 2; ++i)
    bf16_gemm(m, n, k, 1, {a.data() + a_offsets[i], k}, {b.data() + b_offsets[i], n}, 0, want.data() + i * m * n, n);
  gemm_batch(2, m, n, k, Operand<float>{a.data(), k}, a_offsets, Operand<float>{b.data(), n}, b_offsets, got.data(),
             Factors::bf16);
  CHECK(got == want);
  gemm(m, n, k, 1, Operand<float>{a.data(), k}, {b.data() + k * n, n}, 0, got.data(), n, nullptr, Factors::bf16);
  CHECK(got == want);
  gemm_tile(m, n, k, 1, {a.data() + m * k, k}, {b.data(), n}, 0, got.data() + m * n, n, Factors::bf16);
  CHECK(got == want);

  const double x = 1 + 0x1p-20, y = 1;
  double product = 0;
  gemm(1, 1, 1, 1, {&x, 1}, {&y, 1}, 0, &product, 1, nullptr, Factors::bf16);
  CHECK(product == x);
}

TEST_CASE("bf16: kernels forced to narrow vectors multiply in f32") {
  for_each_instruction_set([] {
    const std::string name = instruction_set();
    if (name == "AVX2" || name == "EMU128" || name == "SCALAR") CHECK(bf16_instruction_set() == "f32");
  });
}

#include "autograd/kernels/gemm/bf16_tiles.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>

#include "tests/kernels/gemm/products.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;

namespace {

// To the nearest bfloat16, ties to even, by its definition: 8 significant bits.
float rounded(float x) {
  if (x == 0 || !std::isfinite(x)) return x;
  int exponent = 0;
  const double mantissa = std::frexp(static_cast<double>(x), &exponent) * 256;
  return static_cast<float>(std::ldexp(std::nearbyint(mantissa), exponent - 8));
}

void bf16_gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
               int64_t stride, const float* bias = nullptr) {
  gemm(m, n, k, alpha, a, b, beta, c, stride, bias, Precision::bf16);
}

constexpr auto kMultiply = [](const Product& p, Operand<float> a, Operand<float> b, float* c, int64_t stride,
                              const float* bias) {
  bf16_gemm(p.m, p.n, p.k, static_cast<float>(p.alpha), a, b, static_cast<float>(p.beta), c, stride, bias);
};

struct ResetBf16 {
  ~ResetBf16() { force_bf16_instruction_set(""); }
};

template <class F>
void for_each_bf16_instruction_set(const F& f) {
  const ResetBf16 reset;
  for (const std::string& instruction_set : bf16_instruction_sets()) {
    CAPTURE(instruction_set);
    REQUIRE(force_bf16_instruction_set(instruction_set));
    REQUIRE(bf16_instruction_set() == instruction_set);
    f();
  }
}

}  // namespace

constexpr int64_t kShapes[11][3] = {{1, 1, 1},    {1, 33, 5},     {5, 1, 7},     {16, 16, 32},
                                    {31, 17, 33}, {32, 32, 64},   {33, 70, 20},  {40, 3, 131},
                                    {64, 65, 96}, {130, 257, 40}, {17, 31, 1025}};

TEST_CASE("bf16_gemm: sizes, transposes, strides, alpha, beta and bias, with every micro-kernel") {
  for_each_bf16_instruction_set([] { check_shapes<float>(kShapes, kMultiply, true, rounded); });
}

TEST_CASE("bf16_gemm: rounded for SIMD kernels, on every instruction set") {
  const ResetBf16 reset;
  REQUIRE(force_bf16_instruction_set("f32"));
  const auto multiply_packed = [](const Product& p, Operand<float> a, Operand<float> b, float* c, int64_t stride,
                                  const float*) {
    const PackedB<float> right = pack_b(p.m, p.n, p.k, b, Precision::bf16, Workspace::by_rows_b);
    gemm_tile(p.m, p.n, p.k, static_cast<float>(p.alpha), a, right, static_cast<float>(p.beta), c, stride);
  };
  for_each_instruction_set([&] {
    check_shapes<float>(kShapes, kMultiply, true, rounded);
    check_shapes<float>(kShapes, multiply_packed, false, rounded);
  });
}

TEST_CASE("bf16_gemm: sizes of 0") {
  for_each_bf16_instruction_set([] {
    for (const Product& p : {Product{0, 3, 4}, Product{3, 0, 4}, Product{3, 4, 0}, Product{0, 0, 0}})
      check<float>(p, 1, kMultiply, rounded);
    check<float>({.m = 3, .n = 4, .k = 0, .bias = true}, 1, kMultiply, rounded);
  });
}

TEST_CASE("pack_b: bf16 panels of several KC blocks") {
  const int64_t m = 40, n = 70, k = 2500;
  const auto a = random_values<float>(m * k, 1), b = random_values<float>(k * n, 2);
  for_each_bf16_instruction_set([&] {
    std::vector<float> got(m * n), want(m * n);
    bf16_gemm(m, n, k, 1, {a.data(), k}, {b.data(), n}, 0, want.data(), n);
    const PackedB<float> right = pack_b(m, n, k, Operand<float>{b.data(), n}, Precision::bf16, Workspace::by_rows_b);
    CHECK((right.panels != nullptr) == (bf16_instruction_set() != "f32"));
    gemm_tile(m, n, k, 1.0F, Operand<float>{a.data(), k}, right, 0.0F, got.data(), n);
    CHECK(difference(got, want, 1e-4, 1e-4) == "");
  });
}

TEST_CASE("pack_b: an inner size of 0") {
  for (Precision precision : {Precision::full, Precision::bf16}) {
    std::vector<float> c(32 * 32, 1);
    const PackedB<float> right = pack_b(32, 32, 0, Operand<float>{c.data(), 32}, precision, Workspace::by_rows_b);
    gemm_tile(32, 32, 0, 1.0F, Operand<float>{c.data(), 0}, right, 0.0F, c.data(), 32);
    CHECK(c == std::vector<float>(32 * 32, 0));
  }
}

TEST_CASE("pack_b: no rows on the left") {
  const std::vector<float> b(96 * 96, 1);
  for (Precision precision : {Precision::full, Precision::bf16}) {
    const PackedB<float> right = pack_b(48, 96, 96, Operand<float>{b.data(), 96}, precision, Workspace::by_rows_b);
    for (bool transposed : {false, true}) {
      float c = 7;
      gemm_tile(0, 96, 96, 1.0F, Operand<float>{b.data(), 96, transposed}, right, 0.0F, &c, 96);
      CHECK(c == 7);
    }
  }
}

TEST_CASE("bf16_gemm: rounds to nearest, ties to even, and keeps infinities and NaN") {
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

TEST_CASE("gemm, gemm_tile and gemm_batch: bf16 precision round, f64 stays exact") {
  const int64_t m = 7, n = 9, k = 40;
  const auto a = random_values<float>(2 * m * k, 1), b = random_values<float>(2 * k * n, 2);
  std::vector<float> want(2 * m * n), got(2 * m * n);
  const int64_t a_offsets[] = {0, m * k}, b_offsets[] = {k * n, 0};
  for (int64_t i = 0; i < 2; ++i)
    bf16_gemm(m, n, k, 1, {a.data() + a_offsets[i], k}, {b.data() + b_offsets[i], n}, 0, want.data() + i * m * n, n);
  gemm_batch(2, m, n, k, Operand<float>{a.data(), k}, a_offsets, Operand<float>{b.data(), n}, b_offsets, got.data(),
             Precision::bf16);
  CHECK(got == want);
  gemm(m, n, k, 1, Operand<float>{a.data(), k}, {b.data() + k * n, n}, 0, got.data(), n, nullptr, Precision::bf16);
  CHECK(got == want);
  gemm_tile(m, n, k, 1, {a.data() + m * k, k}, {b.data(), n}, 0, got.data() + m * n, n, Precision::bf16);
  CHECK(got == want);

  const double x = 1 + 0x1p-20, y = 1;
  double product = 0;
  gemm(1, 1, 1, 1, {&x, 1}, {&y, 1}, 0, &product, 1, nullptr, Precision::bf16);
  CHECK(product == x);
}

TEST_CASE("bf16: on instruction sets without AVX-512 multiplies in f32") {
  for_each_instruction_set([] {
    const std::string name = instruction_set();
    if (name == "AVX2" || name == "EMU128" || name == "SCALAR") CHECK(bf16_instruction_set() == "f32");
  });
}

#include "autograd/kernels/gemm/split_tiles.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "autograd/kernels/gemm/simd_gemm.h"
#include "autograd/kernels/instruction_set.h"
#include "autograd/kernels/workspace.h"
#include "tests/kernels/gemm/products.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;

namespace {

bool missing() {
  if (!split_micro_kernel()) MESSAGE("skipped: this machine has no AMX");
  return !split_micro_kernel();
}

std::vector<float> product(int64_t m, int64_t n, int64_t k, const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> c(static_cast<size_t>(m * n));
  panel_gemm(*split_micro_kernel(), {m, n, k, 1, {a.data(), k}, {b.data(), n}, 0, c.data(), n, nullptr});
  return c;
}

std::vector<float> simd_product(int64_t m, int64_t n, int64_t k, const std::vector<float>& a,
                                const std::vector<float>& b) {
  std::vector<float> c(static_cast<size_t>(m * n));
  simd_gemm({m, n, k, 1, {a.data(), k}, {b.data(), n}, 0, c.data(), n});
  return c;
}

double root_mean_square_error(const std::vector<float>& got, const std::vector<double>& want) {
  double sum = 0;
  for (size_t i = 0; i < got.size(); ++i) sum += (got[i] - want[i]) * (got[i] - want[i]);
  return std::sqrt(sum / static_cast<double>(got.size()));
}

}  // namespace

TEST_CASE("split_tiles: sizes, transposes, strides, alpha, beta and bias") {
  if (missing()) return;
  const int64_t shapes[][3] = {{1, 1, 1},    {1, 33, 5},   {5, 1, 7},    {16, 16, 32},   {31, 17, 33}, {32, 32, 64},
                               {33, 70, 20}, {40, 3, 131}, {64, 65, 96}, {130, 257, 40}, {17, 31, 600}};
  const auto multiply = [](const Product& p, Operand<float> a, Operand<float> b, float* c, int64_t stride,
                           const float* bias) {
    panel_gemm(*split_micro_kernel(), arguments_of(p, a, b, c, stride, bias));
  };
  check_shapes<float>(shapes, multiply, true);
}

TEST_CASE("split_tiles: with a packed B, whole and its first columns and inner sizes") {
  if (missing()) return;
  const int64_t shapes[][3] = {{1, 1, 1}, {33, 70, 20}, {64, 65, 96}, {96, 192, 64}, {96, 64, 192}, {70, 40, 600}};
  const auto multiply = [](const Product& p, Operand<float> a, Operand<float> b, float* c, int64_t stride,
                           const float* bias) {
    uint16_t* panels =
        workspace<uint16_t>(Workspace::packed_shared, packed_panels_size(*split_micro_kernel(), p.n, p.k));
    REQUIRE(pack_panels(*split_micro_kernel(), p.n, p.k, b, panels));
    const GemmArguments<float> call = arguments_of(p, a, b, c, stride, bias);
    multiply_panels({split_micro_kernel(), panels, p.n, p.k}, call);

    GemmArguments<float> part = call;
    part.n = (p.n + 1) / 2;
    part.k = (p.k + 1) / 2;
    part.beta = 0;
    std::vector<float> want(static_cast<size_t>(part.m * part.n)), got = want;
    part.c_stride = part.n;
    part.c = want.data();
    panel_gemm(*split_micro_kernel(), part);
    part.c = got.data();
    multiply_panels({split_micro_kernel(), panels, p.n, p.k}, part);
    const double error = p.k > 256 ? 1e-5 : kTolerance<float>;  // longer sums are cut in other places
    CHECK(difference(got, want, error, error) == "");
  };
  check_shapes<float>(shapes, multiply, false);
}

TEST_CASE("split_tiles: no bit of a number is lost") {
  if (missing()) return;
  const int64_t n = 64;
  std::vector<float> x, one(n * n, 0.0F);
  std::mt19937 bits(1);
  for (int64_t i = 0; i < n * n; ++i) {
    const float mantissa = 1 + static_cast<float>(bits() & 0x7fffff) * 0x1p-23F;
    x.push_back(std::ldexp(i % 2 == 0 ? mantissa : -mantissa, static_cast<int>(i % 220) - 102));
  }
  x[0] = 0x1.fffffep0F;
  x[1] = 0x1.fefffep0F;  // rounds up across a power of two
  x[2] = 0x1.fe0000p127F;
  for (int64_t i = 0; i < n; ++i) one[static_cast<size_t>(i * n + i)] = 1;
  CHECK(product(n, n, n, x, one) == x);
  CHECK(product(n, n, n, one, x) == x);
}

TEST_CASE("split_tiles: as exact as sums of f32 products") {
  if (missing()) return;
  const int64_t m = 64, n = 64;
  for (int64_t k : {32, 64, 256, 1024, 4096}) {
    for (bool signs : {true, false}) {
      CAPTURE(k);
      CAPTURE(signs);
      const auto a = random_values<float>(m * k, 1, signs ? -1 : 0), b = random_values<float>(k * n, 2, signs ? -1 : 0);
      std::vector<double> want(m * n, 0.0);
      reference::gemm<double>(m, n, k, 1, reference::exact(a), reference::exact(b), 0, want);
      const double error = root_mean_square_error(product(m, n, k, a, b), want);
      CHECK(error <= root_mean_square_error(simd_product(m, n, k, a, b), want));
      CHECK(error > 0);
    }
  }
}

TEST_CASE("split_tiles: elements without terms, in either operand and any KC block") {
  if (missing()) return;
  const int64_t m = 70, n = 90, k = 600;
  for (float odd : {kNaN<float>, kInfinity<float>, -kInfinity<float>, 0x1.fffffep127F, -0x1.ff8p127F}) {
    for (int64_t at : {0, 300, 599}) {
      for (bool in_a : {true, false}) {
        CAPTURE(odd);
        CAPTURE(at);
        CAPTURE(in_a);
        auto a = random_values<float>(m * k, 1, 0.1, 0.5), b = random_values<float>(k * n, 2, 0.1, 0.5);
        (in_a ? a[static_cast<size_t>(33 * k + at)] : b[static_cast<size_t>(at * n + 33)]) = odd;
        const auto got = product(m, n, k, a, b), want = simd_product(m, n, k, a, b);
        CHECK(difference(got, want, 1e-5, 0) == "");
        CHECK(std::abs(got[0] - want[0]) < 1e-3);
        const auto transposed = product(n, m, k, random_values<float>(n * k, 3), a);
        CHECK(std::count_if(transposed.begin(), transposed.end(), [](float x) { return !(std::abs(x) < 1e30F); }) ==
              std::count_if(a.begin(), a.begin() + k * m, [](float x) { return !(std::abs(x) < 1e30F); }) * n);
      }
    }
  }
}

TEST_CASE("split_tiles: a NaN in an operand that is packed for all threads, or by each") {
  if (missing()) return;
  constexpr int64_t k = 400, at = 333;
  for (const auto& [m, n] : {std::pair<int64_t, int64_t>{300, 40}, {500, 400}, {40, 300}, {400, 500}}) {
    CAPTURE(m);
    const bool in_a = m < n;  // the smaller one is shared
    auto a = random_values<float>(m * k, 1), b = random_values<float>(k * n, 2);
    auto want = product(m, n, k, a, b);
    (in_a ? a[static_cast<size_t>(7 * k + at)] : b[static_cast<size_t>(at * n + 7)]) = kNaN<float>;
    for (int64_t i = 0; i < m * n; ++i)
      if ((in_a ? i / n : i % n) == 7) want[static_cast<size_t>(i)] = kNaN<float>;
    check_same_bits_on_any_threads([&, m = m, n = n] {
      const auto got = product(m, n, k, a, b);
      CHECK(difference(got, want, 1e-4, 1e-4) == "");
      return got;
    });
  }
}

TEST_CASE("split_tiles: what terms of the smallest numbers cannot represent counts as 0") {
  if (missing()) return;
  const int64_t n = 32;
  std::vector<float> a(n * n, 0x1.234566p-110F), one(n * n, 0.0F);
  for (int64_t i = 0; i < n; ++i) one[static_cast<size_t>(i * n + i)] = 1;
  const auto c = product(n, n, n, a, one);
  for (float x : c) REQUIRE(std::abs(x - 0x1.234566p-110F) <= 0x1p-126F);
}

TEST_CASE("split_tiles: the same bits with any number of threads") {
  if (missing()) return;
  for (const auto& [m, n] : {std::pair<int64_t, int64_t>{300, 520}, {520, 300}}) {
    const int64_t k = 700;
    const auto a = random_values<float>(m * k, 1), b = random_values<float>(k * n, 2);
    check_same_bits_on_any_threads([&, m = m, n = n] { return product(m, n, k, a, b); });
  }
}

TEST_CASE("gemm: splits operands into terms where that pays, and with AVX-512 only") {
  if (missing()) return;
  struct Reset {
    ~Reset() { force_instruction_set(""); }
  } reset;
  const auto multiply = [](int64_t n, const std::vector<float>& a, const std::vector<float>& b) {
    std::vector<float> c(static_cast<size_t>(n * n));
    gemm(n, n, n, 1, Operand<float>{a.data(), n}, {b.data(), n}, 0, c.data(), n);
    return c;
  };
  const int64_t large = 128, small = 40;
  const auto a = random_values<float>(large * large, 1), b = random_values<float>(large * large, 2);
  CHECK(multiply(large, a, b) == product(large, large, large, a, b));
  CHECK(multiply(small, a, b) == simd_product(small, small, small, a, b));
  if (!force_instruction_set("AVX2")) return;
  CHECK(multiply(large, a, b) == simd_product(large, large, large, a, b));
}

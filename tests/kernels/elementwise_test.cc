#include "autograd/kernels/elementwise.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "autograd/kernels/convert.h"
#include "tests/kernels/buffers.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;
using reference::Exact;

namespace {

struct UnaryCase {
  Unary f;
  const char* name;
  double low, high;
};
constexpr UnaryCase kUnary[] = {
    {Unary::exp, "exp", -20, 3},  {Unary::log, "log", 1e-3, 50},
    {Unary::sqrt, "sqrt", 0, 50}, {Unary::tanh, "tanh", -10, 10},
    {Unary::erf, "erf", -6, 6},   {Unary::relu, "relu", -1, 1},
    {Unary::gelu, "gelu", -8, 8}, {Unary::gelu_tanh, "gelu_tanh", -8, 8},
};
constexpr UnaryCase kSloped[] = {
    {Unary::relu, "relu", -1, 1}, {Unary::gelu, "gelu", -8, 8}, {Unary::gelu_tanh, "gelu_tanh", -8, 8}};

// The same value on every lane of vectors and on a single one.
template <class T>
T everywhere(Unary f, T x) {
  const std::vector<T> many(67, x);
  std::vector<T> y(67);
  unary(f, many.data(), y.data(), 67);
  for (T value : y) CHECK((value == y[0] || (std::isnan(value) && std::isnan(y[0]))));
  return y[0];
}

template <class T>
T slope_at(Unary f, T x) {
  const std::vector<T> many(67, x), ones(67, T(1));
  std::vector<T> y(67);
  unary_grad(f, many.data(), ones.data(), y.data(), 67);
  for (T value : y) CHECK((value == y[0] || (std::isnan(value) && std::isnan(y[0]))));
  return y[0];
}

}  // namespace

TEST_CASE_TEMPLATE("unary: every function at every size and alignment, in place too", T, float, double) {
  for_each_instruction_set([] {
    for (const UnaryCase& c : kUnary) {
      CAPTURE(c.name);
      for (int64_t n : sizes()) {
        const auto values = random_values<T>(n, static_cast<uint64_t>(n), c.low, c.high);
        std::vector<Exact<T>> want;
        for (T x : values) want.push_back(reference::unary<Exact<T>>(c.f, x));
        for (int64_t offset = 0; offset < 4; ++offset) {
          CAPTURE(n);
          CAPTURE(offset);
          Guarded<T> x(values, offset), y(n, 3 - offset);
          unary(c.f, x.data(), y.data(), n);
          CHECK(difference(y.values(), want) == "");
          CHECK(y.intact());
          CHECK(x.values() == values);
          unary(c.f, x.data(), x.data(), n);
          CHECK(x.values() == y.values());
          CHECK(x.intact());
        }
      }
    }
  });
}

TEST_CASE_TEMPLATE("unary_grad: every slope at every size and alignment, in place too", T, float, double) {
  for_each_instruction_set([] {
    for (const UnaryCase& c : kSloped) {
      CAPTURE(c.name);
      for (int64_t n : sizes()) {
        const auto values = random_values<T>(n, static_cast<uint64_t>(n), c.low, c.high);
        const auto grads = random_values<T>(n, static_cast<uint64_t>(n) + 1000, -2, 2);
        std::vector<Exact<T>> want;
        for (size_t i = 0; i < values.size(); ++i)
          want.push_back(reference::slope<Exact<T>>(c.f, values[i]) * grads[i]);
        for (int64_t offset = 0; offset < 4; ++offset) {
          CAPTURE(n);
          CAPTURE(offset);
          Guarded<T> x(values, offset), dy(grads, 3 - offset), dx(n, 1);
          unary_grad(c.f, x.data(), dy.data(), dx.data(), n);
          CHECK(difference(dx.values(), want, kTolerance<T>, 2 * kTolerance<T>) == "");
          CHECK(dx.intact());
          unary_grad(c.f, x.data(), dy.data(), dy.data(), n);
          CHECK(dy.values() == dx.values());
          CHECK(dy.intact());
          unary_grad(c.f, x.data(), grads.data(), x.data(), n);
          CHECK(x.values() == dx.values());
          CHECK(x.intact());
        }
      }
    }
  });
}

TEST_CASE("unary: of bfloat16, the same bits as of the f32 that they stand for") {
  for_each_instruction_set([] {
    for (int64_t n : {0, 1, 67, 4096, 4097, 20000}) {
      CAPTURE(n);
      std::vector<uint16_t> bits(static_cast<size_t>(n));
      std::vector<float> x = random_values<float>(n, 5, -8, 8), want(x.size()), got(x.size());
      std::vector<float> dy = random_values<float>(n, 6);
      round_to_bf16(x.data(), bits.data(), n);
      widen_bf16(bits.data(), x.data(), n);
      for (Unary f : {Unary::gelu, Unary::gelu_tanh, Unary::relu}) {
        unary(f, x.data(), want.data(), n);
        unary(f, bits.data(), got.data(), n);
        CHECK(got == want);
        unary_grad(f, x.data(), dy.data(), want.data(), n);
        got = dy;
        unary_grad(f, bits.data(), got.data(), got.data(), n);
        CHECK(got == want);
      }
    }
  });
}

TEST_CASE("unary: relu's slope is the same from y as from x") {
  const std::vector<float> x{-2, -0.5f, 0, 0.5f, 3}, ones(5, 1);
  std::vector<float> y(5), from_x(5), from_y(5);
  unary(Unary::relu, x.data(), y.data(), 5);
  unary_grad(Unary::relu, x.data(), ones.data(), from_x.data(), 5);
  unary_grad(Unary::relu, y.data(), ones.data(), from_y.data(), 5);
  CHECK(from_x == std::vector<float>{0, 0, 0, 1, 1});
  CHECK(from_y == from_x);
}

TEST_CASE_TEMPLATE("unary: at zero, infinity and NaN", T, float, double) {
  for_each_instruction_set([] {
    constexpr T inf = kInfinity<T>;
    CHECK(everywhere(Unary::exp, T(0)) == 1);
    CHECK(everywhere(Unary::exp, T(-0.0)) == 1);
    CHECK(everywhere(Unary::exp, inf) == inf);
    CHECK(everywhere(Unary::exp, -inf) == 0);
    CHECK(everywhere(Unary::log, T(0)) == -inf);
    CHECK(everywhere(Unary::log, T(-0.0)) == -inf);
    CHECK(everywhere(Unary::log, T(1)) == 0);
    CHECK(everywhere(Unary::log, inf) == inf);
    CHECK(std::isnan(everywhere(Unary::log, T(-1))));
    CHECK(std::isnan(everywhere(Unary::log, -inf)));
    CHECK(everywhere(Unary::sqrt, T(0)) == 0);
    CHECK(everywhere(Unary::sqrt, inf) == inf);
    CHECK(std::isnan(everywhere(Unary::sqrt, T(-1))));
    for (Unary f : {Unary::tanh, Unary::erf}) {
      CHECK(everywhere(f, T(0)) == 0);
      CHECK(everywhere(f, inf) == 1);
      CHECK(everywhere(f, -inf) == -1);
    }
    CHECK(everywhere(Unary::relu, inf) == inf);
    CHECK(everywhere(Unary::relu, -inf) == 0);
    for (Unary f : {Unary::gelu, Unary::gelu_tanh}) {
      CHECK(everywhere(f, T(0)) == 0);
      CHECK(everywhere(f, inf) == inf);
      CHECK(slope_at(f, T(0)) == T(0.5));
    }
    for (const UnaryCase& c : kUnary) {
      CAPTURE(c.name);
      CHECK(std::isnan(everywhere(c.f, kNaN<T>)));
    }
    for (Unary f : {Unary::gelu, Unary::gelu_tanh}) CHECK(std::isnan(slope_at(f, kNaN<T>)));
  });
}

TEST_CASE_TEMPLATE("unary: large and tiny arguments", T, float, double) {
  constexpr bool kSingle = sizeof(T) == 4;
  constexpr T huge = std::numeric_limits<T>::max(), tiny = std::numeric_limits<T>::min();
  for_each_instruction_set([] {
    const T top = kSingle ? T(88.5) : T(709.5), over = kSingle ? T(89) : T(710);
    CHECK(difference<T, Exact<T>>({everywhere(Unary::exp, top)}, {std::exp(Exact<T>(top))}) == "");
    CHECK(everywhere(Unary::exp, kSingle ? T(-87) : T(-708)) > 0);
    for (T x : {over, T(1e4), T(1e10), huge}) CHECK(everywhere(Unary::exp, x) == kInfinity<T>);
    for (T x : {kSingle ? T(-110) : T(-800), T(-1e4), T(-1e10), -huge}) CHECK(everywhere(Unary::exp, x) == 0);
    CHECK(difference<T, Exact<T>>({everywhere(Unary::log, huge)}, {std::log(Exact<T>(huge))}) == "");
    CHECK(difference<T, Exact<T>>({everywhere(Unary::log, tiny)}, {std::log(Exact<T>(tiny))}) == "");
    CHECK(everywhere(Unary::tanh, huge) == 1);
    CHECK(everywhere(Unary::erf, -huge) == -1);
    for (T x : {T(12), T(100), T(1e10), T(huge / 4)}) {
      CAPTURE(x);
      for (Unary f : {Unary::gelu, Unary::gelu_tanh}) {
        CHECK(everywhere(f, x) == x);
        CHECK(std::abs(everywhere(f, T(-x))) < T(kSingle ? 1e-6 : 1e-14));
        CHECK(slope_at(f, x) == 1);
        CHECK(std::abs(slope_at(f, T(-x))) < T(kSingle ? 1e-6 : 1e-14));
      }
    }
    for (Unary f : {Unary::tanh, Unary::erf, Unary::gelu, Unary::gelu_tanh}) {
      const T x = tiny * 1024;
      CHECK(difference<T, Exact<T>>({T(everywhere(f, x) / x)}, {reference::unary<Exact<T>>(f, x) / x}) == "");
    }
  });
}

TEST_CASE_TEMPLATE("unary: numbers too small to be normal count as 0", T, float, double) {
  const T denormal = std::numeric_limits<T>::min() / 4;
  for_each_instruction_set([&] {
    CHECK(everywhere(Unary::exp, denormal) == 1);
    CHECK(everywhere(Unary::log, denormal) == -kInfinity<T>);
    CHECK(everywhere(Unary::tanh, denormal) == 0);
    CHECK(everywhere(Unary::gelu, denormal) == 0);
  });
}

TEST_CASE("unary: erf of floats is right to 1e-6 everywhere, and never beyond 1") {
  constexpr int64_t kSteps = 240001;
  std::vector<float> x(kSteps), y(kSteps);
  for (int64_t i = 0; i < kSteps; ++i)
    x[static_cast<size_t>(i)] = static_cast<float>(-6 + 12.0 * double(i) / (kSteps - 1));
  std::vector<double> want;
  for (float value : x) want.push_back(std::erf(double(value)));
  for_each_instruction_set([&] {
    unary(Unary::erf, x.data(), y.data(), kSteps);
    CHECK(difference(y, want, 0, 1e-6) == "");
    CHECK(*std::max_element(y.begin(), y.end()) == 1);
    CHECK(*std::min_element(y.begin(), y.end()) == -1);
  });
}

TEST_CASE("unary_grad: gelu's slope of floats is right to 5e-7 everywhere, and 0 or 1 far out") {
  constexpr int64_t kSteps = 240001;
  std::vector<float> x(kSteps), dx(kSteps);
  const std::vector<float> ones(kSteps, 1);
  for (int64_t i = 0; i < kSteps; ++i)
    x[static_cast<size_t>(i)] = static_cast<float>(-7 + 14.0 * double(i) / (kSteps - 1));
  std::vector<double> want;
  for (float value : x) want.push_back(reference::slope<double>(Unary::gelu, value));
  for_each_instruction_set([&] {
    unary_grad(Unary::gelu, x.data(), ones.data(), dx.data(), kSteps);
    CHECK(difference(dx, want, 0, 5e-7) == "");
    for (float far : {6.0F, 1e10F, std::numeric_limits<float>::max(), kInfinity<float>}) {
      CHECK(slope_at(Unary::gelu, far) == 1);
      CHECK(slope_at(Unary::gelu, -far) == 0);
    }
  });
}

TEST_CASE_TEMPLATE("affine: scale x + shift", T, float, double) {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      for (int64_t offset = 0; offset < 4; ++offset) {
        CAPTURE(n);
        const auto values = random_values<T>(n, 5, -3, 3);
        std::vector<Exact<T>> want;
        for (T x : values) want.push_back(Exact<T>(2.5) * x - Exact<T>(0.75));
        Guarded<T> x(values, offset), y(n, 3 - offset);
        affine(x.data(), 2.5, -0.75, y.data(), n);
        CHECK(difference(y.values(), want) == "");
        CHECK(y.intact());
        affine(x.data(), 2.5, -0.75, x.data(), n);
        CHECK(x.values() == y.values());
      }
    }
  });
}

TEST_CASE_TEMPLATE("select: by condition", T, float, double) {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      const auto a = random_values<T>(n, 1), b = random_values<T>(n, 2);
      std::vector<int32_t> condition;
      std::vector<T> want;
      for (size_t i = 0; i < a.size(); ++i) {
        condition.push_back(i % 3 == 0 ? 0 : static_cast<int32_t>(i) - 4);
        want.push_back(condition[i] != 0 ? a[i] : b[i]);
      }
      for (int64_t offset = 0; offset < 4; ++offset) {
        Guarded<T> y(n, offset);
        select(condition.data(), a.data(), b.data(), y.data(), n);
        CHECK(y.values() == want);
        CHECK(y.intact());
      }
    }
  });
}

TEST_CASE_TEMPLATE("elementwise: the same bits on any number of threads", T, float, double) {
  constexpr int64_t n = 70001;
  const auto x = random_values<T>(n, 1, 0.1, 3), dy = random_values<T>(n, 2);
  std::vector<int32_t> condition(n);
  std::iota(condition.begin(), condition.end(), -30000);
  for (const UnaryCase& c : kUnary) {
    check_same_bits_on_any_threads([&] {
      std::vector<T> y(n);
      unary(c.f, x.data(), y.data(), n);
      return y;
    });
  }
  for (const UnaryCase& c : kSloped) {
    check_same_bits_on_any_threads([&] {
      std::vector<T> dx(n);
      unary_grad(c.f, x.data(), dy.data(), dx.data(), n);
      return dx;
    });
  }
  check_same_bits_on_any_threads([&] {
    std::vector<T> y(n), z(n);
    affine(x.data(), 3, 4, y.data(), n);
    select(condition.data(), x.data(), dy.data(), z.data(), n);
    return joined<T>({y, z});
  });
}

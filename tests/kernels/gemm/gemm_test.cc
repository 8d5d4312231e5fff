#include "autograd/kernels/gemm/gemm.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "autograd/kernels/gemm/by_rows.h"
#include "autograd/kernels/gemm/simd_gemm.h"
#include "autograd/kernels/workspace.h"
#include "tests/kernels/gemm/products.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;
using reference::Exact;

namespace {

template <class T>
void check_tile(const Product& p, int64_t offset) {
  check<T>(p, offset, [](const Product& q, Operand<T> a, Operand<T> b, T* c, int64_t stride, const T*) {
    gemm_tile(q.m, q.n, q.k, static_cast<T>(q.alpha), a, b, static_cast<T>(q.beta), c, stride);
  });
}
template <class T>
void check_sliced(const Product& p, int64_t offset) {
  check<T>(p, offset, [](const Product& q, Operand<T> a, Operand<T> b, T* c, int64_t stride, const T* bias) {
    gemm(q.m, q.n, q.k, static_cast<T>(q.alpha), a, b, static_cast<T>(q.beta), c, stride, bias);
  });
}

}  // namespace

TEST_CASE_TEMPLATE("gemm: sizes, transposes, strides, alpha and beta", T, float, double) {
  const int64_t shapes[][3] = {{1, 1, 1}, {1, 7, 5}, {5, 1, 7}, {7, 5, 1}, {4, 4, 4}, {17, 33, 9}, {40, 3, 21}};
  for (const auto& [m, n, k] : shapes) {
    for (int mask = 0; mask < 8; ++mask) {
      for (double alpha : {1.0, -0.5}) {
        for (double beta : {0.0, 1.0, 0.25}) {
          const Product p{m, n, k, (mask & 1) != 0, (mask & 2) != 0, (mask & 4) != 0 ? 5 : 0, alpha, beta};
          check_tile<T>(p, mask % 4);
          check_sliced<T>(p, mask % 4);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("gemm: sizes of 0", T, float, double) {
  for (double beta : {0.0, 1.0, 0.25}) {
    for (bool transposed : {false, true}) {
      for (const Product& p : {Product{0, 3, 4}, Product{3, 0, 4}, Product{3, 4, 0}, Product{0, 0, 0}}) {
        Product q = p;
        q.a_transposed = q.b_transposed = transposed;
        q.beta = beta;
        check_tile<T>(q, 1);
        check_sliced<T>(q, 1);
      }
    }
  }
  check_sliced<T>({.m = 3, .n = 4, .k = 0, .bias = true}, 0);
}

TEST_CASE_TEMPLATE("gemm: starts from the bias", T, float, double) {
  for (int64_t m : {1, 3, 70}) {
    for (int64_t n : {1, 5, 33, 130}) {
      check_sliced<T>({.m = m, .n = n, .k = 6, .padding = m % 2, .bias = true}, m % 4);
      check_sliced<T>({.m = m, .n = n, .k = 6, .b_transposed = true, .alpha = 0.5, .bias = true}, m % 4);
    }
  }
}

TEST_CASE_TEMPLATE("gemm: products large enough to be cut, tall and wide", T, float, double) {
  for (int mask = 0; mask < 4; ++mask) {
    const bool ta = (mask & 1) != 0, tb = (mask & 2) != 0;
    check_sliced<T>({.m = 301, .n = 67, .k = 70, .a_transposed = ta, .b_transposed = tb, .padding = 3, .bias = true},
                    1);
    check_sliced<T>({.m = 67, .n = 301, .k = 70, .a_transposed = ta, .b_transposed = tb, .beta = 0.5}, 2);
  }
}

TEST_CASE_TEMPLATE("gemm: long sums, which are cut into parts", T, float, double) {
  for (int mask = 0; mask < 4; ++mask) {
    const bool ta = (mask & 1) != 0, tb = (mask & 2) != 0;
    check_sliced<T>({.m = 40, .n = 33, .k = 1603, .a_transposed = ta, .b_transposed = tb, .padding = 3, .beta = 0.5},
                    1);
    check_sliced<T>({.m = 30, .n = 70, .k = 5603, .a_transposed = ta, .b_transposed = tb, .alpha = 0.5}, 2);
  }
}

constexpr int64_t kSimdShapes[14][3] = {{1, 1, 1},      {1, 33, 5},     {5, 1, 7},      {13, 32, 4},   {31, 17, 9},
                                        {12, 64, 191},  {33, 70, 20},   {40, 3, 21},    {45, 31, 193}, {70, 130, 64},
                                        {130, 65, 600}, {205, 530, 33}, {50, 272, 100}, {30, 272, 300}};

TEST_CASE("simd_gemm: sizes, transposes, strides, alpha, beta and bias, on every instruction set") {
  const auto multiply = [](const Product& q, Operand<float> a, Operand<float> b, float* c, int64_t stride,
                           const float* bias) { simd_gemm(arguments_of(q, a, b, c, stride, bias)); };
  for_each_instruction_set([&] { check_shapes<float>(kSimdShapes, multiply, true); });
}

TEST_CASE("simd_multiply: the same bits as simd_gemm, from a packed B") {
  const auto multiply = [](const Product& q, Operand<float> a, Operand<float> b, float* c, int64_t stride,
                           const float*) {
    std::vector<float> other(c, c + (q.m - 1) * stride + q.n);
    simd_gemm(arguments_of(q, a, b, other.data(), stride));
    const SimdPackedB packed = simd_pack_b(q.n, q.k, b, workspace<float>(Workspace::packed_b, packed_b_size(q.n, q.k)));
    simd_multiply(arguments_of(q, a, b, c, stride), packed);
    CHECK(std::equal(other.begin(), other.end(), c));
  };
  for_each_instruction_set([&] { check_shapes<float>(kSimdShapes, multiply, false); });
}

TEST_CASE("simd_multiply: the first columns and inner sizes of a packed B") {
  const int64_t m = 29, all_n = 272, all_k = 600;
  const auto a = random_values<float>(m * all_k, 1), b = random_values<float>(all_k * all_n, 2);
  for_each_instruction_set([&] {
    const SimdPackedB packed = simd_pack_b(all_n, all_k, {b.data(), all_n},
                                           workspace<float>(Workspace::packed_b, packed_b_size(all_n, all_k)));
    for (const int64_t n : {1, 16, 17, 40, 49, 64, 250, 272}) {
      for (const int64_t k : {1, 200, 300, 600}) {
        std::vector<float> c(static_cast<size_t>(m * n), 7);
        simd_multiply({m, n, k, 1, {a.data(), all_k}, {}, 0, c.data(), n}, packed);
        for (int64_t i = 0; i < m * n; ++i) {
          double sum = 0;
          for (int64_t j = 0; j < k; ++j)
            sum += double{a[static_cast<size_t>(i / n * all_k + j)]} * b[static_cast<size_t>(j * all_n + i % n)];
          REQUIRE(std::abs(c[static_cast<size_t>(i)] - sum) < 1e-4);
        }
      }
    }
  });
}

TEST_CASE_TEMPLATE("gemm_batch: products of operands that lie anywhere", T, float, double) {
  const int64_t m = 9, n = 14, k = 5;
  for (int64_t batch : {0, 1, 2, 7}) {
    const auto a = random_values<T>(3 * m * k, 1), b = random_values<T>(8 * k * n, 2);
    std::vector<int64_t> a_offsets, b_offsets;
    std::vector<Exact<T>> want;
    for (int64_t i = 0; i < batch; ++i) {
      a_offsets.push_back(i % 3 * m * k);  // shared by several products
      b_offsets.push_back((7 - i) * k * n);
      const auto cut = [](const std::vector<T>& x, int64_t from, int64_t count) {
        return std::vector<Exact<T>>(x.begin() + from, x.begin() + from + count);
      };
      std::vector<Exact<T>> c(m * n);
      reference::gemm<Exact<T>>(m, n, k, 1, cut(a, a_offsets.back(), m * k), cut(b, b_offsets.back(), k * n), 0, c);
      want.insert(want.end(), c.begin(), c.end());
    }
    CAPTURE(batch);
    Guarded<T> c(batch * m * n, 1);
    gemm_batch(batch, m, n, k, Operand<T>{a.data(), k}, a_offsets.data(), Operand<T>{b.data(), n}, b_offsets.data(),
               c.data());
    CHECK(difference(c.values(), want, 4 * kTolerance<T>, 4 * kTolerance<T>) == "");
    CHECK(c.intact());
  }
}

TEST_CASE_TEMPLATE("gemm: the same bits on any number of threads", T, float, double) {
  const auto a = random_values<T>(600 * 120, 1), b = random_values<T>(600 * 120, 2), bias = random_values<T>(600, 3);
  const int64_t offsets[] = {0, 600, 1200, 50, 5000, 7};
  check_same_bits_on_any_threads([&] {
    std::vector<T> tall(600 * 100), wide(100 * 600), many(6 * 60 * 70), single(600 * 100), sums(20 * 30);
    gemm(600, 100, 120, T(1), Operand<T>{a.data(), 120}, Operand<T>{b.data(), 100}, T(0), tall.data(), 100,
         bias.data());
    gemm(100, 600, 120, T(2), Operand<T>{a.data(), 100, true}, Operand<T>{b.data(), 120, true}, T(0), wide.data(), 600);
    gemm_batch(6, 60, 70, 80, Operand<T>{a.data(), 80}, offsets, Operand<T>{b.data(), 70}, offsets, many.data());
    gemm_batch(1, 600, 100, 120, Operand<T>{a.data(), 120}, offsets, Operand<T>{b.data(), 100}, offsets, single.data());
    gemm(20, 30, 2400, T(1), Operand<T>{a.data(), 20, true}, Operand<T>{b.data(), 30}, T(0), sums.data(), 30);
    return joined<T>({tall, wide, many, single, sums});
  });
}

TEST_CASE_TEMPLATE("gemm: a NaN or infinity in an operand shows in the product", T, float, double) {
  for (T odd : {kNaN<T>, kInfinity<T>}) {
    std::vector<T> a(20 * 20, T(1)), b(20 * 20, T(0)), c(20 * 20);
    a[3 * 20 + 5] = odd;  // times 0
    gemm(20, 20, 20, T(1), Operand<T>{a.data(), 20}, Operand<T>{b.data(), 20}, T(0), c.data(), 20);
    for (size_t i = 0; i < 400; ++i) REQUIRE(std::isnan(c[i]) == (i / 20 == 3));
  }
}

TEST_CASE_TEMPLATE("gemm: operands with a map, the same bits as of a mapped copy", T, float, double) {
  const int64_t shapes[][3] = {{1, 1, 1},      {5, 7, 3},       {40, 50, 60},    {70, 33, 20},
                               {130, 120, 90}, {300, 100, 600}, {96, 260, 4100}, {33, 40, 2000}};
  const auto result = [](const Product& p, Operand<T> a, Operand<T> b, Precision precision) {
    std::vector<T> c(static_cast<size_t>(p.m * p.n));
    gemm(p.m, p.n, p.k, T(1), a, b, T(0), c.data(), p.n, nullptr, precision);
    return c;
  };
  for_each_instruction_set([&] {
    for (const auto& [m, n, k] : shapes) {
      for (int mask = 0; mask < 4; ++mask) {
        CAPTURE(m);
        CAPTURE(mask);
        const Product p{m, n, k, (mask & 1) != 0, (mask & 2) != 0, mask};
        std::vector<T> a = random_values<T>(m * k, 1, -3, 3), b = random_values<T>(k * n, 2), f(a.size());
        if (mask == 1) a[a.size() / 2] = kInfinity<T>;
        unary(Unary::gelu, a.data(), f.data(), m * k);
        const OperandMemory<T> left(a, m, k, p.a_transposed, p.padding, 1),
            right(b, k, n, p.b_transposed, p.padding, 2), copy(f, m, k, p.a_transposed, p.padding, 1);
        Operand<T> through = left.operand;
        through.map = Unary::gelu;
        const auto transposed = [](Operand<T> x) { return Operand<T>{x.data, x.stride, !x.transposed, x.map}; };
        const Product mirrored{n, m, k};
        for (Precision precision : {Precision::full, Precision::bf16}) {
          const auto same = [](const std::vector<T>& x, const std::vector<T>& y) {
            return std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0;
          };
          CHECK(same(result(p, through, right.operand, precision), result(p, copy.operand, right.operand, precision)));
          CHECK(same(result(mirrored, transposed(right.operand), transposed(through), precision),
                     result(mirrored, transposed(right.operand), transposed(copy.operand), precision)));
        }
      }
    }
  });
}

TEST_CASE_TEMPLATE("gemm_by_rows: every row once, or nothing is done", T, float, double) {
  const int64_t shapes[][3] = {{0, 3, 4},   {200, 0, 3},   {128, 4, 0},    {7, 3, 40},
                               {128, 1, 1}, {280, 64, 64}, {130, 50, 300}, {130, 200, 40}};
  for_each_instruction_set([&] {
    for (const auto& [m, n, k] : shapes) {
      for (bool transposed : {false, true}) {
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(transposed);
        std::vector<int> seen(static_cast<size_t>(m));
        const auto product = [&, m = m, n = n, k = k](const Product&, Operand<T> a, Operand<T> b, T* c, int64_t stride,
                                                      const T*) {
          const bool done =
              gemm_by_rows(m, n, k, a, b, Precision::full, [&](int64_t first, int64_t rows, const T* some) {
                for (int64_t row = 0; row < rows; ++row) {
                  ++seen[static_cast<size_t>(first + row)];
                  std::copy_n(some + row * n, n, c + (first + row) * stride);
                }
              });
          CHECK(seen == std::vector<int>(static_cast<size_t>(m), done ? 1 : 0));
          if (m < 128) CHECK(!done);
          if (!done) gemm(m, n, k, T(1), a, b, T(0), c, stride);
        };
        check<T>({.m = m, .n = n, .k = k, .b_transposed = transposed, .padding = 3}, 1, product);
      }
    }
  });
}

TEST_CASE("gemm_by_rows: the product may overwrite A, with the same bits on any number of threads") {
  for (const auto& [m, n] : {std::pair<int64_t, int64_t>{500, 300}, {140, 1024}}) {
    const auto a = random_values<float>(m * n, 1), b = random_values<float>(n * n, 2);
    for (Precision precision : {Precision::full, Precision::bf16}) {
      std::vector<float> want(a.size());
      gemm(m, n, n, 1.0F, Operand<float>{a.data(), n}, {b.data(), n}, 0, want.data(), n, nullptr, precision);
      check_same_bits_on_any_threads([&, m = m, n = n] {
        auto c = a;
        const auto copy = [&](int64_t first, int64_t rows, const float* some) {
          std::copy_n(some, rows * n, c.data() + first * n);
        };
        if (gemm_by_rows(m, n, n, Operand<float>{c.data(), n}, Operand<float>{b.data(), n}, precision, copy))
          CHECK(difference(c, want, 1e-4, 1e-4) == "");
        return c;
      });
    }
  }
}

TEST_CASE("gemm_by_rows: a large B is left to gemm") {
  const int64_t n = 1100, k = 1000;
  const std::vector<float> a(128 * k), b(k * n);
  const auto unwanted = [](int64_t, int64_t, const float*) { CHECK(false); };
  CHECK(!gemm_by_rows(128, n, k, Operand<float>{a.data(), k}, Operand<float>{b.data(), n}, Precision::full, unwanted));
}

TEST_CASE("gemm_by_rows: a NaN in either operand shows in its row or column") {
  const int64_t m = 200, n = 100, k = 600;
  for (int64_t at : {0, 300, 599}) {
    for (bool in_a : {true, false}) {
      CAPTURE(at);
      CAPTURE(in_a);
      auto a = random_values<float>(m * k, 1), b = random_values<float>(k * n, 2);
      std::vector<float> c(m * n), want(m * n);
      gemm(m, n, k, 1.0F, Operand<float>{a.data(), k}, {b.data(), n}, 0, want.data(), n);
      (in_a ? a[static_cast<size_t>(33 * k + at)] : b[static_cast<size_t>(at * n + 33)]) = kNaN<float>;
      for (int64_t i = 0; i < m * n; ++i)
        if ((in_a ? i / n : i % n) == 33) want[static_cast<size_t>(i)] = kNaN<float>;
      if (!gemm_by_rows(m, n, k, Operand<float>{a.data(), k}, Operand<float>{b.data(), n}, Precision::full,
                        [&](int64_t first, int64_t rows, const float* some) {
                          std::copy_n(some, rows * n, c.data() + first * n);
                        }))
        gemm(m, n, k, 1.0F, Operand<float>{a.data(), k}, {b.data(), n}, 0, c.data(), n);
      CHECK(difference(c, want, 1e-4, 1e-4) == "");
    }
  }
}

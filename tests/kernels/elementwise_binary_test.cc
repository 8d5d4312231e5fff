#include <doctest/doctest.h>

#include <vector>

#include "autograd/kernels/elementwise.h"
#include "tests/kernels/buffers.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;
using reference::Exact;

namespace {

// The loop over shapes of equal rank, in which a 1 is stretched.
BroadcastLoop loop_over(const Extents& a, const Extents& b) {
  BroadcastLoop loop;
  loop.rank = static_cast<int>(a.size());
  int64_t a_stride = 1, b_stride = 1;
  for (size_t axis = a.size(); axis-- > 0;) {
    loop.sizes[axis] = a[axis] == 1 ? b[axis] : a[axis];
    loop.a_strides[axis] = a[axis] == loop.sizes[axis] ? a_stride : 0;
    loop.b_strides[axis] = b[axis] == loop.sizes[axis] ? b_stride : 0;
    a_stride *= a[axis];
    b_stride *= b[axis];
  }
  return loop;
}

template <class T>
Exact<T> apply(Binary f, T a, T b) {
  const auto u = static_cast<Exact<T>>(a), v = static_cast<Exact<T>>(b);
  switch (f) {
    case Binary::add:
      return u + v;
    case Binary::subtract:
      return u - v;
    case Binary::multiply:
      return u * v;
    case Binary::divide:
      return u / v;
  }
  return 0;
}

template <class T>
std::vector<Exact<T>> plain(Binary f, const BroadcastLoop& loop, const std::vector<T>& a, const std::vector<T>& b) {
  int64_t n = 1;
  for (int axis = 0; axis < loop.rank; ++axis) n *= loop.sizes[axis];
  std::vector<Exact<T>> y;
  for (int64_t i = 0; i < n; ++i) {
    int64_t rest = i, from_a = 0, from_b = 0;
    for (int axis = loop.rank - 1; axis >= 0; --axis) {
      from_a += rest % loop.sizes[axis] * loop.a_strides[axis];
      from_b += rest % loop.sizes[axis] * loop.b_strides[axis];
      rest /= loop.sizes[axis];
    }
    y.push_back(apply(f, a[static_cast<size_t>(from_a)], b[static_cast<size_t>(from_b)]));
  }
  return y;
}

constexpr Binary kBinary[] = {Binary::add, Binary::subtract, Binary::multiply, Binary::divide};

template <class T>
void check(const Extents& a_shape, const Extents& b_shape, int64_t offset) {
  CAPTURE(a_shape.size());
  CAPTURE(elements(a_shape));
  CAPTURE(elements(b_shape));
  const BroadcastLoop loop = loop_over(a_shape, b_shape);
  const auto a_values = random_values<T>(elements(a_shape), 1, -2, 2),
             b_values = random_values<T>(elements(b_shape), 2, 0.5, 2);
  for (Binary f : kBinary) {
    const auto want = plain(f, loop, a_values, b_values);
    const auto n = static_cast<int64_t>(want.size());
    Guarded<T> a(a_values, offset), b(b_values, 3 - offset), y(n, (offset + 1) % 4);
    binary(f, loop, a.data(), b.data(), y.data());
    CHECK(difference(y.values(), want) == "");
    CHECK(y.intact());
    if (a.size() == n) {
      binary(f, loop, a.data(), b.data(), a.data());
      CHECK(a.values() == y.values());
      CHECK(a.intact());
    }
    if (b.size() == n && a_values.size() != b_values.size()) {
      binary(f, loop, Guarded<T>(a_values, offset).data(), b.data(), b.data());
      CHECK(b.values() == y.values());
      CHECK(b.intact());
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("binary: equal shapes and a single number, at every size and alignment", T, float, double) {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      for (int64_t offset = 0; offset < 4; ++offset) {
        check<T>({n}, {n}, offset);
        check<T>({n}, {1}, offset);
        check<T>({1}, {n}, offset);
      }
    }
  });
}

TEST_CASE_TEMPLATE("binary: broadcasting along any axes", T, float, double) {
  for_each_instruction_set([] {
    check<T>({}, {}, 0);
    check<T>({1, 1}, {1, 1}, 1);
    for (int64_t n : {1, 2, 15, 33}) {
      CAPTURE(n);
      check<T>({7, n}, {1, n}, 0);
      check<T>({7, n}, {7, 1}, 1);
      check<T>({7, 1}, {1, n}, 2);
      check<T>({2, 3, n}, {2, 1, n}, 3);
      check<T>({2, 3, n}, {1, 3, 1}, 0);
      check<T>({2, 1, n}, {1, 3, 1}, 1);
      check<T>({1, 3, 1, n}, {2, 1, 5, 1}, 2);
      check<T>({2, 1, 3, 1, 2, 1, 2, n}, {1, 2, 3, 1, 1, 2, 2, n}, 3);
    }
  });
}

TEST_CASE_TEMPLATE("binary: axes of no elements write nothing", T, float, double) {
  check<T>({0}, {0}, 0);
  check<T>({3, 0, 4}, {3, 1, 4}, 0);
  check<T>({0, 4}, {1, 4}, 0);
  check<T>({4, 0}, {1, 1}, 0);
}

TEST_CASE_TEMPLATE("binary: a random walk over shapes", T, float, double) {
  std::mt19937_64 generator(7);
  for (int trial = 0; trial < 300; ++trial) {
    CAPTURE(trial);
    Extents a, b;
    for (auto rank = 1 + generator() % 5; rank > 0; --rank) {
      const auto size = static_cast<int64_t>(1 + generator() % 6);
      const auto stretch = generator() % 4;
      a.push_back(stretch == 0 ? 1 : size);
      b.push_back(stretch == 1 ? 1 : size);
    }
    check<T>(a, b, trial % 4);
  }
}

TEST_CASE_TEMPLATE("binary: the same bits on any number of threads", T, float, double) {
  const std::pair<Extents, Extents> shapes[] = {{{200, 301}, {200, 301}}, {{200, 301}, {1, 301}}, {{200, 1}, {1, 301}}};
  for (const auto& [a_shape, b_shape] : shapes) {
    const BroadcastLoop loop = loop_over(a_shape, b_shape);
    const auto a = random_values<T>(elements(a_shape), 1), b = random_values<T>(elements(b_shape), 2, 0.5, 2);
    check_same_bits_on_any_threads([&] {
      std::vector<T> y(60200);
      binary(Binary::divide, loop, a.data(), b.data(), y.data());
      return y;
    });
  }
}

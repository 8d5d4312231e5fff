#include "autograd/kernels/move.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "tests/kernels/buffers.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;

namespace {

template <class T>
std::vector<T> counted(int64_t n) {
  std::vector<T> x(static_cast<size_t>(n));
  std::iota(x.begin(), x.end(), T(1));
  return x;
}

// Axis k of the result is axis order[k] of x, which is contiguous of the given shape.
PermuteLoop loop_for(const Extents& shape, const Extents& order) {
  Extents strides(shape.size());
  int64_t stride = 1;
  for (size_t axis = shape.size(); axis-- > 0; stride *= shape[axis]) strides[axis] = stride;
  PermuteLoop loop;
  for (int64_t axis : order) {
    loop.sizes[loop.rank] = shape[static_cast<size_t>(axis)];
    loop.strides[loop.rank++] = strides[static_cast<size_t>(axis)];
  }
  return loop;
}

template <class T>
std::vector<T> plain(const PermuteLoop& loop, const std::vector<T>& x) {
  std::vector<T> y;
  for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
    int64_t rest = i, from = 0;
    for (int axis = loop.rank - 1; axis >= 0; --axis) {
      from += rest % loop.sizes[axis] * loop.strides[axis];
      rest /= loop.sizes[axis];
    }
    y.push_back(x[static_cast<size_t>(from)]);
  }
  return y;
}

template <class T>
void check_permute(const Extents& shape, const Extents& order, int64_t offset) {
  CAPTURE(shape.size());
  CAPTURE(elements(shape));
  const auto values = counted<T>(elements(shape));
  const PermuteLoop loop = loop_for(shape, order);
  Guarded<T> x(values, offset), y(elements(shape), 3 - offset);
  permute(loop, sizeof(T), x.data(), y.data());
  CHECK(y.values() == plain(loop, values));
  CHECK(y.intact());
}

}  // namespace

TEST_CASE_TEMPLATE("permute: every order of the axes, for each width of element", T, int16_t, float, double) {
  for (Extents shape : {Extents{3, 5}, Extents{2, 1, 7}, Extents{2, 3, 4, 5}, Extents{70, 90}, Extents{3, 0, 2}}) {
    Extents order(shape.size());
    std::iota(order.begin(), order.end(), 0);
    do {
      for (int64_t offset = 0; offset < 4; ++offset) check_permute<T>(shape, order, offset);
    } while (std::next_permutation(order.begin(), order.end()));
  }
  check_permute<T>({}, {}, 0);
  check_permute<T>({6}, {0}, 1);
  check_permute<T>({2, 1, 2, 3, 1, 2, 2, 3}, {7, 6, 5, 4, 3, 2, 1, 0}, 2);
}

TEST_CASE("copy_rows: runs of bytes between matrices of different widths") {
  for (int64_t rows : {0, 1, 3, 700}) {
    for (int64_t bytes : {0, 1, 7, 64, 129}) {
      CAPTURE(rows);
      CAPTURE(bytes);
      const auto x = counted<uint8_t>(rows * 140);
      Guarded<uint8_t> y(rows * 131, 1);
      copy_rows(x.data(), 140, y.data(), 131, rows, bytes);
      const auto got = y.values();
      bool right = y.intact();
      for (int64_t i = 0; i < rows * 131; ++i) {
        const int64_t row = i / 131, column = i % 131;
        const uint8_t want =
            column < bytes ? x[static_cast<size_t>(row * 140 + column)] : Guarded<uint8_t>::unwritten();
        right = right && got[static_cast<size_t>(i)] == want;
      }
      CHECK(right);
    }
  }
}

TEST_CASE("gather_rows: rows of a table, any number of times") {
  const auto table = counted<float>(11 * 13);
  for (int64_t count : {0, 1, 5, 3000}) {
    std::mt19937 generator(3);
    std::vector<int32_t> indices;
    std::vector<float> want;
    for (int64_t i = 0; i < count; ++i) {
      indices.push_back(static_cast<int32_t>(generator() % 11));
      const auto row = table.begin() + indices.back() * 13;
      want.insert(want.end(), row, row + 13);
    }
    Guarded<float> y(count * 13, 1);
    gather_rows(table.data(), indices.data(), y.data(), count, 13 * 4);
    CHECK(y.values() == want);
    CHECK(y.intact());
  }
}

TEST_CASE_TEMPLATE("scatter_add_rows: adds in the order of the indices, clears the rest", T, float, double) {
  for (int64_t table_rows : {1, 11, 700}) {
    for (int64_t n : {1, 13, 40}) {
      for (int64_t count : {0, 1, 500}) {
        std::mt19937 generator(3);
        std::vector<int32_t> indices;
        const auto dy = random_values<T>(count * n, 5);
        std::vector<T> want(static_cast<size_t>(table_rows * n));
        for (int64_t i = 0; i < count; ++i) {
          indices.push_back(static_cast<int32_t>(generator() % static_cast<unsigned>(table_rows)));
          for (int64_t k = 0; k < n; ++k)
            want[static_cast<size_t>(indices.back() * n + k)] += dy[static_cast<size_t>(i * n + k)];
        }
        CAPTURE(table_rows);
        CAPTURE(n);
        CAPTURE(count);
        Guarded<T> table(table_rows * n, 1);
        scatter_add_rows(dy.data(), indices.data(), table.data(), count, table_rows, n);
        CHECK(table.values() == want);
        CHECK(table.intact());
      }
    }
  }
}

TEST_CASE("move: the same bits on any number of threads") {
  constexpr int64_t rows = 300, n = 200;
  const auto x = random_values<float>(rows * n, 1);
  std::vector<int32_t> indices;
  std::mt19937 generator(3);
  for (int64_t i = 0; i < rows; ++i) indices.push_back(static_cast<int32_t>(generator() % 50));
  check_same_bits_on_any_threads([&] {
    std::vector<float> permuted(rows * n), gathered(rows * n), table(50 * n), copied(rows * n);
    permute(loop_for({rows, n}, {1, 0}), 4, x.data(), permuted.data());
    gather_rows(x.data(), indices.data(), gathered.data(), rows, n * 4);
    scatter_add_rows(x.data(), indices.data(), table.data(), rows, 50, n);
    copy_rows(x.data(), n * 4, copied.data(), n * 4, rows, n * 3);
    return joined<float>({permuted, gathered, table, copied});
  });
}

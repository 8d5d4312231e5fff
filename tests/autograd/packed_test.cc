#include "autograd/ops/packed.h"

#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"

using namespace mixtape;

using Values = std::vector<double>;

TEST_CASE("bounds from lengths") {
  const Bounds bounds({2, 0, 3});
  CHECK(bounds.defined());
  CHECK(bounds.sequences() == 3);
  CHECK(bounds.rows() == 5);
  CHECK(bounds.longest() == 3);
  CHECK(bounds.offset(2) == 2);
  CHECK(bounds.length(0) == 2);
  CHECK(bounds.length(1) == 0);
  CHECK(bounds.offsets().values() == Values{0, 2, 2, 5});
  CHECK_FALSE(Bounds().defined());
}

TEST_CASE("where rows and places are") {
  const Bounds bounds({2, 0, 3});
  CHECK(bounds.positions().values() == Values{0, 1, 0, 1, 2});
  CHECK(bounds.rows_of_padded().shape() == Shape{3, 3});
  CHECK(bounds.rows_of_padded().values() == Values{0, 1, 0, 0, 0, 0, 2, 3, 4});
  CHECK(bounds.padded_places().values() == Values{1, 1, 0, 0, 0, 0, 1, 1, 1});
  CHECK(bounds.places_of_rows().values() == Values{0, 1, 6, 7, 8});
}

TEST_CASE("bounds of a padded tensor, and from offsets") {
  const Bounds uniform = Bounds::uniform(2, 4);
  CHECK(uniform.offsets().values() == Values{0, 4, 8});
  CHECK(uniform.longest() == 4);
  CHECK(Bounds::uniform(0, 4).rows() == 0);
  CHECK(Bounds::uniform(0, 4).longest() == 0);
  const Bounds again = Bounds::from_offsets(Bounds({2, 0, 3}).offsets());
  CHECK(again.longest() == 3);
  CHECK(again.rows() == 5);
}

TEST_CASE("a batch of nothing") {
  const Bounds none(std::vector<int64_t>{});
  CHECK(none.sequences() == 0);
  CHECK(none.rows() == 0);
  CHECK(none.positions().elements() == 0);
  CHECK(pack({}).values.elements() == 0);
  const Bounds empty({0, 0});
  CHECK(to_padded(Tensor::zeros({0, 3}), empty).shape() == Shape{2, 0, 3});
  CHECK(to_packed(Tensor::zeros({2, 0, 3}), empty).shape() == Shape{0, 3});
}

TEST_CASE("bounds that cannot be") {
  CHECK_THROWS_WITH_AS(Bounds({2, -1}), "bounds: a sequence of length -1", Error);
  CHECK_THROWS_WITH_AS(Bounds({int64_t{1} << 31}), "bounds: 2147483648 rows, at most 2147483647 fit one batch", Error);
  CHECK_THROWS_AS(Bounds::uniform(1 << 20, 1 << 12), Error);
}

TEST_CASE("sequences of tokens, packed") {
  const Packed packed = pack({{5, 6}, {}, {7}});
  CHECK(packed.values.dtype() == i32);
  CHECK(packed.values.values() == Values{5, 6, 7});
  CHECK(packed.bounds.offsets().values() == Values{0, 2, 2, 3});
}

TEST_CASE("padding is put in as zeros, and taken out again") {
  const Bounds bounds({2, 0, 1});
  const Tensor rows = Tensor::from(Values{1, 2, 3, 4, 5, 6}, {3, 2});
  const Tensor padded = to_padded(rows, bounds);
  CHECK(padded.shape() == Shape{3, 2, 2});
  CHECK(padded.values() == Values{1, 2, 3, 4, 0, 0, 0, 0, 5, 6, 0, 0});
  CHECK(to_packed(padded, bounds).values() == rows.values());
}

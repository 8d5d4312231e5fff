#include "autograd/tensors/shape.h"

#include <doctest/doctest.h>

#include "autograd/tensors/error.h"

using namespace mixtape;

TEST_CASE("a shape's axes, from either end") {
  const Shape shape{2, 3, 5};
  CHECK(shape.rank() == 3);
  CHECK(shape[0] == 2);
  CHECK(shape[-1] == 5);
  CHECK(shape.elements() == 30);
  CHECK(shape.index(-3) == 0);
  CHECK(to_string(shape) == "[2, 3, 5]");
  CHECK_THROWS_WITH_AS(shape[3], "axis 3 is out of range for [2, 3, 5]", Error);
  CHECK_THROWS_WITH_AS(shape[-4], "axis -4 is out of range for [2, 3, 5]", Error);
}

TEST_CASE("a scalar's shape, and one without elements") {
  CHECK(Shape{}.rank() == 0);
  CHECK(Shape{}.elements() == 1);
  CHECK(to_string(Shape{}) == "[]");
  CHECK_THROWS_AS(Shape{}[0], Error);
  CHECK(Shape{3, 0, 2}.elements() == 0);
}

TEST_CASE("shapes made from others") {
  const Shape shape{2, 3, 5};
  CHECK(shape.with(-2, 7) == Shape{2, 7, 5});
  CHECK(shape.without(0) == Shape{3, 5});
  CHECK(shape.without(-1) == Shape{2, 3});
  CHECK(shape.inserted(0, 4) == Shape{4, 2, 3, 5});
  CHECK(shape.inserted(3, 4) == Shape{2, 3, 5, 4});
  CHECK(shape.inserted(-1, 4) == Shape{2, 3, 5, 4});
  CHECK(shape.slice(1, 3) == Shape{3, 5});
  CHECK(shape.slice(1, 1) == Shape{});
  CHECK(shape.followed_by({4}) == Shape{2, 3, 5, 4});
  CHECK(Shape{}.followed_by(shape) == shape);
  CHECK_THROWS_AS(shape.without(3), Error);
  CHECK_THROWS_AS(shape.inserted(4, 1), Error);
}

TEST_CASE("shapes are equal if all their axes are") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
  CHECK_FALSE(Shape{2, 3} == Shape{2, 3, 1});
  CHECK_FALSE(Shape{} == Shape{1});
}

TEST_CASE("shapes that cannot be") {
  CHECK_THROWS_WITH_AS((Shape{2, -1}), "shape: negative size in [2, -1]", Error);
  CHECK_THROWS_WITH_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), "shape: 9 axes, at most 8 are supported", Error);
  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1}.followed_by({1})), Error);
  const int64_t large = int64_t{1} << 40;
  CHECK_THROWS_WITH_AS((Shape{large, large}.elements()), "shape: [1099511627776, 1099511627776] has too many elements",
                       Error);
}

TEST_CASE("broadcasting aligns the last axes and stretches ones") {
  CHECK(broadcast("add", {2, 3}, {2, 3}) == Shape{2, 3});
  CHECK(broadcast("add", {2, 1}, {3}) == Shape{2, 3});
  CHECK(broadcast("add", {4, 1, 3}, {2, 1}) == Shape{4, 2, 3});
  CHECK(broadcast("add", {}, {2}) == Shape{2});
  CHECK(broadcast("add", {1}, {0}) == Shape{0});
  CHECK_THROWS_WITH_AS(broadcast("add", {2, 3}, {2}), "add: [2, 3] and [2] do not broadcast", Error);
  CHECK_THROWS_AS(broadcast("add", {0}, {2}), Error);
}

#include "data/images.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "autograd/tensors/error.h"
#include "data/digits.h"

using namespace mixtape;

namespace {

// What tells one drawn picture from another.
std::vector<std::vector<uint8_t>> sorted_images(const data::ImageSet& images) {
  std::vector<std::vector<uint8_t>> all;
  for (int64_t i = 0; i < images.size(); ++i) all.emplace_back(images.image(i).begin(), images.image(i).end());
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("images: a subset has the pictures and labels that were asked for") {
  const data::ImageSet digits = data::draw_digits(30, 1);
  const data::ImageSet some = data::subset(digits, {7, 3, 12});
  CHECK(some.labels == std::vector<int32_t>{7, 3, 2});
  CHECK(some.classes == digits.classes);
  for (const auto& [at, from] : {std::pair{0, 7}, {1, 3}, {2, 12}})
    CHECK(std::ranges::equal(some.image(at), digits.image(from)));
  CHECK_THROWS_WITH_AS(data::subset(digits, {30}), "subset: image 30 of 30", Error);
}

TEST_CASE("images: what is held out is a part by chance, and the two parts are the whole") {
  const data::ImageSet digits = data::draw_digits(200, 1);
  const data::HeldOut parts = data::hold_out(digits, 50, 9);
  CHECK(parts.rest.size() == 150);
  CHECK(parts.held_out.size() == 50);
  std::vector<std::vector<uint8_t>> both = sorted_images(parts.rest);
  const auto held = sorted_images(parts.held_out);
  both.insert(both.end(), held.begin(), held.end());
  std::sort(both.begin(), both.end());
  CHECK(both == sorted_images(digits));
  for (int32_t digit = 0; digit < 10; ++digit) CHECK(std::ranges::count(parts.held_out.labels, digit) > 0);
  CHECK(data::hold_out(digits, 50, 9).held_out.labels == parts.held_out.labels);
  CHECK(data::hold_out(digits, 50, 8).held_out.labels != parts.held_out.labels);
  CHECK(data::hold_out(digits, 0, 1).rest.size() == 200);
  CHECK_THROWS_AS(data::hold_out(digits, 200, 1), Error);
}

#include "autograd/kernels/convert.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "tests/kernels/buffers.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;

namespace {

float number(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

// The nearer of the two bfloat16 around x, or the even one, found by comparing distances.
uint16_t nearest(float x) {
  const auto below = static_cast<uint16_t>(std::bit_cast<uint32_t>(x) >> 16), above = static_cast<uint16_t>(below + 1);
  if (std::isinf(x)) return below;
  const auto at = [](uint16_t bits) {  // one step beyond the largest number counts as where the next would be
    return std::isinf(number(bits)) ? std::copysign(0x1p128, double(number(bits))) : double(number(bits));
  };
  const double down = std::abs(x - at(below)), up = std::abs(x - at(above));
  if (down == up) return below % 2 == 0 ? below : above;
  return down < up ? below : above;
}

// Every exponent is as likely as any other; no NaN.
std::vector<float> any_numbers(int64_t n) {
  std::mt19937 generator(7);
  std::vector<float> x(static_cast<size_t>(n));
  for (float& value : x) {
    do value = std::bit_cast<float>(static_cast<uint32_t>(generator()));
    while (std::isnan(value));
  }
  return x;
}

}  // namespace

TEST_CASE("convert: every bfloat16 comes back from f32, and stands for the upper half") {
  std::vector<uint16_t> all(1 << 16), back(all.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  std::vector<float> wide(all.size());
  for_each_instruction_set([&] {
    widen_bf16(all.data(), wide.data(), static_cast<int64_t>(all.size()));
    round_to_bf16(wide.data(), back.data(), static_cast<int64_t>(all.size()));
    int64_t wrong = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      const bool nan = std::isnan(number(all[i]));
      wrong += std::bit_cast<uint32_t>(wide[i]) != uint32_t{all[i]} << 16;
      wrong += nan ? !std::isnan(number(back[i])) : back[i] != all[i];
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("convert: f32 are rounded to the nearest, to even in the middle, at every size and alignment") {
  for_each_instruction_set([] {
    for (int64_t n : sizes()) {
      CAPTURE(n);
      const std::vector<float> values = any_numbers(n);
      std::vector<uint16_t> want;
      for (float value : values) want.push_back(nearest(value));
      for (int64_t offset = 0; offset < 4; ++offset) {
        CAPTURE(offset);
        Guarded<float> x(values, offset), wide(n, 1);
        Guarded<uint16_t> y(n, 3 - offset);
        round_to_bf16(x.data(), y.data(), n);
        CHECK(y.values() == want);
        CHECK(y.intact());
        widen_bf16(y.data(), wide.data(), n);
        CHECK(wide.intact());
      }
    }
  });
}

TEST_CASE("convert: ties, the largest numbers and NaN") {
  const std::vector<float> x{
      1 + 0x1p-8F, 1 + 3 * 0x1p-8F, -1 - 0x1p-8F, std::nextafter(1 + 0x1p-8F, 2.0F), 3.4028235e38F, -kInfinity<float>,
      0x1p-149F,   -0.0F,           kNaN<float>,  std::bit_cast<float>(0x7f800001U)};
  std::vector<uint16_t> y(x.size());
  for_each_instruction_set([&] {
    round_to_bf16(x.data(), y.data(), static_cast<int64_t>(x.size()));
    CHECK(number(y[0]) == 1);
    CHECK(number(y[1]) == 1 + 0x1p-6F);
    CHECK(number(y[2]) == -1);
    CHECK(number(y[3]) == 1 + 0x1p-7F);
    CHECK(number(y[4]) == kInfinity<float>);
    CHECK(number(y[5]) == -kInfinity<float>);
    CHECK(y[6] == 0);
    CHECK(y[7] == 0x8000);
    CHECK(std::isnan(number(y[8])));
    CHECK(std::isnan(number(y[9])));
  });
}

TEST_CASE("convert: the same bits on any number of threads") {
  const std::vector<float> x = any_numbers(100003);
  check_same_bits_on_any_threads([&] {
    std::vector<uint16_t> y(x.size());
    round_to_bf16(x.data(), y.data(), static_cast<int64_t>(x.size()));
    return y;
  });
}

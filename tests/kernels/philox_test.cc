#include "autograd/kernels/philox.h"

#include <doctest/doctest.h>

#include <array>

using mixtape::kernels::philox;
using Words = std::array<uint32_t, 4>;

// From the known-answer file of the authors' Random123 library.
TEST_CASE("philox: the published answers of philox4x32-10") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("philox: can be evaluated by the compiler") {
  static_assert(philox({0, 0, 0, 0}, {0, 0})[0] == 0x6627e8d5);
  CHECK(philox({1, 0, 0, 0}, {0, 0}) != philox({0, 0, 0, 0}, {0, 0}));
}

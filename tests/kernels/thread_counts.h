#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <initializer_list>
#include <vector>

#include "autograd/kernels/parallel.h"

namespace mixtape::tests {

/// Checks that the vector which run() returns holds the same bits on 2, 3, 4, 5 and 8 threads as on one.
template <class Run>
void check_same_bits_on_any_threads(const Run& run) {
  struct Reset {
    ~Reset() { kernels::set_threads(0); }
  } reset;
  kernels::set_threads(1);
  const auto expected = run();
  for (int threads : {2, 3, 4, 5, 8}) {
    CAPTURE(threads);
    kernels::set_threads(threads);
    const auto got = run();
    REQUIRE(got.size() == expected.size());
    CHECK(std::memcmp(got.data(), expected.data(), got.size() * sizeof(got[0])) == 0);
  }
}

/// Several vectors in one, to compare the outputs of a kernel that has many.
template <class T>
std::vector<T> joined(std::initializer_list<std::vector<T>> parts) {
  std::vector<T> all;
  for (const std::vector<T>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace mixtape::tests

#include "autograd/kernels/hard_swish.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/kernels/instruction_sets.h"

using namespace mixtape;

TEST_CASE("hard_swish: equals plain loops on every instruction set") {
  tests::for_each_instruction_set([] {
    for (int64_t n = 0; n < 40; ++n) {
      std::vector<double> x, y(static_cast<size_t>(n)), dx(static_cast<size_t>(n), 2);
      for (int64_t i = 0; i < n; ++i) x.push_back(0.31 * static_cast<double>(i - n / 2));
      kernels::hard_swish(x.data(), y.data(), n);
      kernels::hard_swish_grad(x.data(), dx.data(), dx.data(), n);
      for (size_t i = 0; i < x.size(); ++i) {
        CHECK(y[i] == doctest::Approx(x[i] * std::clamp(x[i] + 3, 0.0, 6.0) / 6));
        CHECK(dx[i] == doctest::Approx(2 * (x[i] <= -3 ? 0 : x[i] >= 3 ? 1 : (2 * x[i] + 3) / 6)));
      }
    }
  });
}

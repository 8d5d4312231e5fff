#include "optim/sign_sgd.h"

#include "tests/optim/support.h"

using namespace mixtape;
using namespace mixtape::optim_test;

TEST_CASE("sign_sgd: ten steps follow the formula") {
  const optim::SignSgdOptions options{.learning_rate = 0.1};
  check_ten_steps(maker<optim::SignSgd>(options),
                  [] { return [](int64_t, double g, double& p) { p -= 0.1 * ((g > 0) - (g < 0)); }; });
}

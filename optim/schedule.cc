#include "optim/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/tensors/error.h"

namespace mixtape::optim {
namespace {

double checked(int64_t step) {
  if (step < 1) fail(fmt::format("schedule: step is {}, steps count from 1", step));
  return static_cast<double>(step);
}

// The fraction of the steps from the end of the warm-up to `total` that is done.
double progress(int64_t step, int64_t warmup, int64_t total) {
  if (total < 1) fail(fmt::format("schedule: total is {}, expected at least 1", total));
  if (step >= total) return 1;
  return static_cast<double>(step - warmup) / static_cast<double>(total - warmup);
}

double rise(double peak, int64_t step, int64_t warmup) { return peak * checked(step) / static_cast<double>(warmup); }

}  // namespace

double Constant::operator()(int64_t step) const {
  checked(step);
  return learning_rate;
}

double InverseSquareRoot::operator()(int64_t step) const {
  if (step < warmup) return rise(peak, step, warmup);
  return peak * std::sqrt(static_cast<double>(std::max<int64_t>(warmup, 1)) / checked(step));
}

double Cosine::operator()(int64_t step) const {
  if (step < warmup) return rise(peak, step, warmup);
  checked(step);
  return floor + (peak - floor) * 0.5 * (1 + std::cos(std::numbers::pi * progress(step, warmup, total)));
}

double Linear::operator()(int64_t step) const {
  if (step < warmup) return rise(peak, step, warmup);
  checked(step);
  return floor + (peak - floor) * (1 - progress(step, warmup, total));
}

}  // namespace mixtape::optim

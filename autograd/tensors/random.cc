#include "autograd/tensors/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/kernels/philox.h"

namespace mixtape {
namespace {

template <class Draw>
Tensor draw_tensor(const Shape& shape, DType dtype, Draw draw) {
  std::vector<double> values(static_cast<size_t>(shape.elements()));
  for (double& value : values) value = draw();
  return Tensor::from(values, shape, dtype);
}

}  // namespace

uint32_t Random::bits() {
  if (left_ == 0) {
    // The last counter word sets this stream apart from the draws of training steps, which have 0 there.
    const auto block = kernels::philox({static_cast<uint32_t>(counter_), static_cast<uint32_t>(counter_ >> 32), 0, 1},
                                       {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
    std::copy(block.begin(), block.end(), block_);
    ++counter_;
    left_ = 4;
  }
  return block_[4 - left_--];
}

double Random::uniform() {
  const uint64_t high = bits() >> 5;
  const uint64_t low = bits() >> 6;
  return static_cast<double>((high << 26) + low) * 0x1p-53;
}

int64_t Random::below(int64_t n) {
  const auto range = static_cast<uint64_t>(n);
  const uint64_t fair = UINT64_MAX - UINT64_MAX % range;
  for (;;) {
    const uint64_t high = bits();
    const uint64_t value = (high << 32) | bits();
    if (value < fair) return static_cast<int64_t>(value % range);
  }
}

double Random::normal(double mean, double deviation) {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));  // Box and Muller 1958
  return mean + deviation * radius * std::cos(2 * std::numbers::pi * uniform());
}

Tensor Random::uniform(const Shape& shape, double low, double high, DType dtype) {
  return draw_tensor(shape, dtype, [&] { return uniform(low, high); });
}

Tensor Random::normal(const Shape& shape, double mean, double deviation, DType dtype) {
  return draw_tensor(shape, dtype, [&] { return normal(mean, deviation); });
}

}  // namespace mixtape

#include "nn/positions.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops/packed.h"
#include "autograd/tensors/error.h"
#include "tests/nn/numbers.h"

using namespace mixtape;

TEST_CASE("positions: sines and cosines of growing wavelength") {
  for (const int64_t width : {6, 7}) {
    const nn::SinusoidalPositions layer(50, width);
    const Tensor places = Tensor::from(std::vector<int32_t>{0, 1, 49, 7}, {2, 2});
    const Tensor y = layer(Tensor::zeros({2, 2, width}, f64), places);
    for (int64_t row = 0; row < 4; ++row) {
      const double t = places.data<int32_t>()[row];
      for (int64_t c = 0; c < width; ++c) {
        const double wave = t / std::pow(10000.0, static_cast<double>(c - c % 2) / static_cast<double>(width));
        const double expected = c % 2 == 0 ? std::sin(wave) : std::cos(wave);
        CHECK(y.data<double>()[row * width + c] == doctest::Approx(expected).epsilon(1e-12));
      }
    }
    CHECK(largest_difference(layer(Tensor::zeros({2, 2, width}), places), y) < 1e-7);
  }
}

TEST_CASE("positions: they are added to each row of a packed batch") {
  Random random(1);
  const nn::LearnedPositions layer(4, 3, random);
  const Bounds bounds({2, 3});
  const Tensor x = random.normal({5, 3}, 0, 1);
  const Tensor y = layer(x, bounds.positions());
  const int64_t places[] = {0, 1, 0, 1, 2};
  for (int64_t row = 0; row < 5; ++row) {
    for (int64_t c = 0; c < 3; ++c) {
      const float expected = x.data<float>()[row * 3 + c] + layer.weight.data<float>()[places[row] * 3 + c];
      CHECK(y.data<float>()[row * 3 + c] == expected);
    }
  }
}

TEST_CASE("positions: positions beyond the longest sequence throw") {
  Random random(1);
  const Tensor x = Tensor::zeros({1, 4}), place = Tensor::from(std::vector<int32_t>{3}, {1});
  CHECK_THROWS_AS(nn::SinusoidalPositions(3, 4)(x, place), Error);
  CHECK_THROWS_AS(nn::LearnedPositions(3, 4, random)(x, place), Error);
  CHECK_NOTHROW(nn::LearnedPositions(4, 4, random)(x, place));
}

TEST_CASE("positions: positions that do not match the rows throw") {
  Random random(1);
  const nn::LearnedPositions layer(4, 3, random);
  const Tensor x = Tensor::zeros({2, 4, 3});
  const auto places = [](const Shape& shape) { return Tensor::zeros(shape, i32); };
  CHECK(layer(x, places({4})).shape() == x.shape());
  CHECK(layer(x, places({2, 4})).shape() == x.shape());
  CHECK_THROWS_WITH_AS(layer(x, places({4, 1})),
                       "positions: x [2, 4, 3] with positions [4, 1], expected [..., T, 3] and [T]", Error);
  CHECK_THROWS_AS(layer(x, places({2})), Error);
  CHECK_THROWS_AS(layer(x, places({1, 2, 4})), Error);
  CHECK_THROWS_AS(layer(Tensor::zeros({2, 4, 1}), places({4})), Error);
  const nn::SinusoidalPositions waves(4, 3);
  CHECK_THROWS_AS(waves(Tensor::zeros({5, 3}), places({4})), Error);
}

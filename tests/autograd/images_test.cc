#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops.h"
#include "autograd/tape/flops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/random.h"
#include "tests/autograd/closeness.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

using In = const std::vector<Tensor>&;
using Values = std::vector<double>;

template <class Fused, class Composed>
void check_equal(const Fused& fused, const Composed& composed, const std::vector<Tensor>& inputs) {
  for (DType dtype : {f64, f32}) {
    std::vector<Tensor> converted;
    for (const Tensor& x : inputs) converted.push_back(x.to(dtype));
    check_close(value_and_gradients(fused, converted), value_and_gradients(composed, converted), tolerance(dtype));
  }
}

}  // namespace

TEST_CASE("images: patches are squares of pixels, row by row") {
  Tensor x = Tensor::uninitialized({1, 2, 4, 1}, f64);
  for (int64_t i = 0; i < 8; ++i) x.mutable_data<double>()[i] = static_cast<double>(i);
  const Tensor y = patches(x, 2);
  CHECK(y.shape() == Shape{1, 2, 4});
  CHECK(y.values() == Values{0, 1, 4, 5, 2, 3, 6, 7});
}

TEST_CASE("images: conv2d equals its composed definition") {
  Random random(1);
  for (const Conv2dOptions options : {Conv2dOptions{}, Conv2dOptions{2, 1}, Conv2dOptions{3, 2}}) {
    CAPTURE(options.stride);
    check_equal([=](In in) { return conv2d(in[0], in[1], in[2], options); },
                [=](In in) { return composed::conv2d(in[0], in[1], in[2], options); },
                {random.normal({3, 13, 10, 5}, 0, 1, f64), random.normal({7, 3, 3, 5}, 0, 0.2, f64),
                 random.normal({7}, 0, 1, f64)});
  }
}

TEST_CASE("images: max_pool2d equals its composed definition, with equals and negative numbers") {
  const Tensor x = Random(2).normal({2, 9, 8, 3}, -5, 1, f64);
  for (int64_t i = 0; i < x.elements(); ++i) x.mutable_data<double>()[i] = std::round(2 * x.data<double>()[i]);
  for (const PoolOptions options : {PoolOptions{}, PoolOptions{3, 2, 1}, PoolOptions{3, 1, 2}}) {
    CAPTURE(options.size);
    check_equal([=](In in) { return max_pool2d(in[0], options); },
                [=](In in) { return composed::max_pool2d(in[0], options); }, {x});
  }
}

TEST_CASE("images: what lies outside does not count for the mean") {
  const Tensor x = Tensor::full({2, 5, 4, 3}, 2.5, f64);
  for (const PoolOptions options : {PoolOptions{}, PoolOptions{3, 2, 1}, PoolOptions{3, 1, 2}}) {
    const Tensor y = average_pool2d(x, options);
    for (double value : y.values()) CHECK(value == doctest::Approx(2.5).epsilon(1e-14));
  }
  CHECK(average_pool2d(x).shape() == Shape{2, 2, 2, 3});
  CHECK(average_pool2d(x, {.size = 3, .stride = 2, .padding = 1}).shape() == Shape{2, 3, 2, 3});
}

TEST_CASE("images: conv2d counts the operations of its products") {
  const Tensor x = Tensor::zeros({2, 8, 6, 3}), weight = Tensor::zeros({5, 3, 3, 3});
  const FlopCounter counter;
  conv2d(x, weight, {}, {.stride = 2, .padding = 1});
  CHECK(counter.count() == 2 * (2 * 4 * 3) * 5 * 27);
}

TEST_CASE("images: batch_norm equals its composed definition") {
  Random random(3);
  for (const Shape& shape : {Shape{5, 3}, Shape{2, 7, 6, 19}, Shape{40, 30, 4}}) {
    CAPTURE(to_string(shape));
    check_equal([](In in) { return batch_norm(in[0], in[1], in[2], 0.01).y; },
                [](In in) { return composed::batch_norm(in[0], in[1], in[2], 0.01); },
                {random.normal(shape, 1, 2, f64), random.normal({shape[-1]}, 1, 0.3, f64),
                 random.normal({shape[-1]}, 0, 1, f64)});
  }
}

TEST_CASE("images: batch_norm gives the statistics of each channel, with divisor N") {
  const Tensor x = Tensor::from(Values{1, 10, 3, 10, 5, 40, 7, 40}, {2, 2, 2}, f64);
  const BatchNormed result = batch_norm(x, Tensor::ones({2}, f64), Tensor::zeros({2}, f64), 0);
  CHECK(result.mean.values() == Values{4, 25});
  CHECK(result.variance.values() == Values{5, 225});
  CHECK(result.y.values()[1] == doctest::Approx(-1));
  CHECK(result.y.values()[6] == doctest::Approx(3 / std::sqrt(5.0)));
}

TEST_CASE("images: soft_cross_entropy equals its composed definition, and cross_entropy where one class has it all") {
  Random random(4);
  const Tensor logits = random.normal({6, 9}, 0, 3, f64), weights = random.uniform({6, 9}, 0, 0.3, f64);
  for (double smoothing : {0.0, 0.1, 1.0}) {
    for (Reduction reduction : {Reduction::mean, Reduction::sum}) {
      const SoftCrossEntropyOptions options{smoothing, reduction};
      const auto fused = [=](In in) { return soft_cross_entropy(in[0], weights.to(in[0].dtype()), options); };
      const auto plain = [=](In in) { return composed::soft_cross_entropy(in[0], weights.to(in[0].dtype()), options); };
      check_equal(fused, plain, {logits});

      Tensor one_hot = Tensor::zeros({6, 9}, f64);
      std::vector<int32_t> classes;
      for (int32_t row = 0; row < 6; ++row) {
        classes.push_back((row * 5 + 2) % 9);
        one_hot.mutable_data<double>()[row * 9 + classes.back()] = 1;
      }
      const Tensor hard =
          cross_entropy(logits, Tensor::from(classes, {6}), {.label_smoothing = smoothing, .reduction = reduction});
      CHECK(soft_cross_entropy(logits, one_hot, options).item() == doctest::Approx(hard.item()).epsilon(1e-13));
    }
  }
}

TEST_CASE("images: stochastic depth leaves out whole sequences, scales the others, and goes the same way back") {
  constexpr double p = 0.3;
  const Bounds bounds({3, 1, 0, 4, 2});
  int64_t kept = 0;
  for (int64_t step = 0; step < 200; ++step) {
    const Tensor x = Random(5).normal({10, 2}, 0, 1, f64).as_parameter();
    Tape tape(Random(6).at(step));
    const Tensor y = stochastic_depth(x, p, bounds);
    tape.backward(sum(y * y * 0.5));
    for (int64_t b = 0; b < bounds.sequences(); ++b) {
      if (bounds.length(b) == 0) continue;
      const bool stays = y.data<double>()[bounds.offset(b) * 2] != 0;
      kept += stays;
      for (int64_t i = bounds.offset(b) * 2; i < bounds.offset(b + 1) * 2; ++i) {
        const double factor = stays ? 1 / (1 - p) : 0;
        REQUIRE(y.data<double>()[i] == doctest::Approx(factor * x.data<double>()[i]));
        REQUIRE(x.gradient().data<double>()[i] == doctest::Approx(factor * factor * x.data<double>()[i]));
      }
    }
  }
  CHECK(static_cast<double>(kept) / 800 == doctest::Approx(1 - p).epsilon(0.06));
}

TEST_CASE("images: stochastic depth passes everything through where nothing trains") {
  const Tensor x = Tensor::ones({4, 2});
  CHECK(stochastic_depth(x, 0.9).is(x));
  {
    Tape tape;
    CHECK(stochastic_depth(x, 0.9).is(x));
  }
  Tape tape(Random(1).at(0));
  CHECK(stochastic_depth(x, 0).is(x));
  const double kept = sum(stochastic_depth(Tensor::ones({400, 2}), 0.9)).item() / 20;
  CHECK(kept > 20);
  CHECK(kept < 60);
}

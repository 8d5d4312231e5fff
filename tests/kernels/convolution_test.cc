#include "autograd/kernels/convolution.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/kernels/buffers.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/thread_counts.h"
#include "tests/kernels/window_cases.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;
using reference::Exact;

namespace {

size_t at(int64_t i) { return static_cast<size_t>(i); }

template <class E>
struct PlainConvolution {
  std::vector<E> y, dx, dweight;
};

template <class E>
PlainConvolution<E> plain(const Windows& w, const std::vector<E>& x, const std::vector<E>& weight,
                          const std::vector<E>& bias, const std::vector<E>& dy, int64_t out) {
  PlainConvolution<E> result{std::vector<E>(at(w.count() * out)), std::vector<E>(x.size()),
                             std::vector<E>(weight.size())};
  for (int64_t i = 0; i < w.count() * out && !bias.empty(); ++i) result.y[at(i)] = bias[at(i % out)];
  for_each_number(w, [&](int64_t window, int64_t place, int64_t element) {
    if (element < 0) return;
    for (int64_t o = 0; o < out; ++o) {
      const size_t at_y = at(window * out + o), at_weight = at(o * w.size() + place);
      result.y[at_y] += x[at(element)] * weight[at_weight];
      result.dx[at(element)] += dy[at_y] * weight[at_weight];
      result.dweight[at_weight] += dy[at_y] * x[at(element)];
    }
  });
  return result;
}

template <class T>
void check(const Windows& w, int64_t out, bool with_bias, int64_t offset) {
  CAPTURE(w.height);
  CAPTURE(w.channels);
  CAPTURE(out);
  const auto xs = random_values<T>(w.batch * w.image_size(), 1), weights = random_values<T>(out * w.size(), 2);
  const auto biases = random_values<T>(with_bias ? out : 0, 3), dys = random_values<T>(w.count() * out, 4);
  const auto want =
      plain(w, reference::exact(xs), reference::exact(weights), reference::exact(biases), reference::exact(dys), out);
  Guarded<T> x(xs, offset), weight(weights, 3 - offset), bias(biases, 1), dy(dys, 2);
  Guarded<T> y(w.count() * out, offset), dx(w.batch * w.image_size(), 3 - offset), dweight(out * w.size(), offset);
  Guarded<T> partial(conv2d_pieces(w, out) * out * w.size(), 1);
  const auto error_of = [](int64_t terms) { return kTolerance<T> * static_cast<double>(terms + 1); };
  conv2d(w, x.data(), weight.data(), with_bias ? bias.data() : nullptr, out, y.data());
  CHECK(difference(y.values(), want.y, kTolerance<T>, error_of(w.size())) == "");
  conv2d_grad_x(w, dy.data(), weight.data(), out, dx.data());
  CHECK(difference(dx.values(), want.dx, kTolerance<T>, error_of(out)) == "");
  conv2d_grad_weight(w, x.data(), dy.data(), out, dweight.data(), partial.data());
  CHECK(difference(dweight.values(), want.dweight, kTolerance<T>, error_of(w.count())) == "");
  CHECK((y.intact() && dx.intact() && dweight.intact() && partial.intact()));
}

constexpr Windows kLarge{
    .batch = 5, .height = 33, .width = 30, .channels = 7, .window_height = 3, .window_width = 3, .padding = 1};

}  // namespace

TEST_CASE_TEMPLATE("conv2d: values and gradients for every kind of window", T, float, double) {
  for_each_instruction_set([] {
    for (const Windows& w : window_cases()) {
      for (int64_t out : {1, 3, 18}) check<T>(w, out, out != 3, out % 4);
    }
  });
}

TEST_CASE_TEMPLATE("conv2d: more windows than fit a tile", T, float, double) {
  CHECK(conv2d_pieces(kLarge, 5) > 1);
  check<T>(kLarge, 5, true, 1);
}

TEST_CASE_TEMPLATE("conv2d: what was in the results before is not read", T, float, double) {
  const Windows w{.batch = 1, .height = 3, .width = 3, .channels = 1, .window_height = 2, .window_width = 2};
  const std::vector<T> x(9, T(1)), weight(4, T(1)), dy(4, T(1));
  std::vector<T> y(4, kNaN<T>), dx(9, kNaN<T>), dweight(4, kNaN<T>), partial(at(conv2d_pieces(w, 1) * 4), kNaN<T>);
  conv2d(w, x.data(), weight.data(), nullptr, 1, y.data());
  conv2d_grad_x(w, dy.data(), weight.data(), 1, dx.data());
  conv2d_grad_weight(w, x.data(), dy.data(), 1, dweight.data(), partial.data());
  CHECK(y == std::vector<T>(4, T(4)));
  CHECK(dx == std::vector<T>{1, 2, 1, 2, 4, 2, 1, 2, 1});
  CHECK(dweight == std::vector<T>(4, T(4)));
}

TEST_CASE_TEMPLATE("conv2d: the same bits on any number of threads", T, float, double) {
  const Windows& w = kLarge;
  constexpr int64_t kOut = 11;
  const auto x = random_values<T>(w.batch * w.image_size(), 1), weight = random_values<T>(kOut * w.size(), 2);
  const auto bias = random_values<T>(kOut, 3), dy = random_values<T>(w.count() * kOut, 4);
  check_same_bits_on_any_threads([&] {
    std::vector<T> y(dy.size()), dx(x.size()), dweight(weight.size());
    std::vector<T> partial(at(conv2d_pieces(w, kOut)) * weight.size());
    conv2d(w, x.data(), weight.data(), bias.data(), kOut, y.data());
    conv2d_grad_x(w, dy.data(), weight.data(), kOut, dx.data());
    conv2d_grad_weight(w, x.data(), dy.data(), kOut, dweight.data(), partial.data());
    return joined<T>({y, dx, dweight});
  });
}
